#pragma once

// Inside models/video only: encoded pictures in a file of records, before they become an MP4.

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/file/records.hpp"
#include "models/video/stream.hpp"

namespace vultus {

/// The track that the packets of a file make.
struct PacketTrack {
  cv::Size size;                                               ///< as coded: even
  int32_t ticks = 1;                                           ///< of the time stamps in a second
  Rational frame_rate;                                         ///< told to the player
  int32_t range = 0, primaries = 0, transfer = 0, matrix = 0;  ///< colours, in FFmpeg's numbers
  int32_t profile = 0, level = 0;
  std::vector<std::byte> parameters;  ///< SPS and PPS, in H.264's Annex B

  bool operator==(const PacketTrack&) const = default;
};

/// A coded picture. Pictures are never reordered: it is decoded when it is shown.
struct PacketView {
  int64_t pts = 0;
  int64_t duration = 0;  ///< that of the last picture counts; the others last until the next
  bool key = false;
  std::span<const std::byte> bytes;
};

class PacketWriter {
 public:
  /// Errors name `shown`.
  static Result<PacketWriter> create(const std::string& path, const PacketTrack& track,
                                     const std::string& shown);
  /// Goes on behind the first `length` bytes.
  static Result<PacketWriter> reopen(const std::string& path, int64_t length,
                                     const std::string& shown);
  Result<void> append(const PacketView& packet);
  Result<void> sync() { return file_.sync(); }
  int64_t length() const { return file_.length(); }

 private:
  explicit PacketWriter(RecordWriter file) : file_(std::move(file)) {}
  RecordWriter file_;
};

class PacketReader {
 public:
  static Result<PacketReader> open(const std::string& path,
                                   int64_t length = std::numeric_limits<int64_t>::max());
  const PacketTrack& track() const { return track_; }
  /// Valid until the next call; nothing at the end.
  Result<std::optional<PacketView>> next();

 private:
  explicit PacketReader(RecordReader file) : file_(std::move(file)) {}
  RecordReader file_;
  PacketTrack track_;
};

}  // namespace vultus
