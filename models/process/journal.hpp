#pragma once

#include <opencv2/core/types.hpp>
#include <optional>
#include <string>

#include "host/core/result.hpp"
#include "models/file/records.hpp"
#include "models/process/record.hpp"
#include "models/video/stream.hpp"

namespace vultus {

/// What all frames of a journal share.
struct JournalHeader {
  std::string identity;  ///< of program, settings and source: another one is another run
  face::LandmarkScheme scheme = face::LandmarkScheme::wflw98;
  cv::Size size;  ///< of the upright frame
  Rational time_base;
  Rational frame_rate;

  bool operator==(const JournalHeader&) const = default;
};

/// The record of every frame in order, in a file that only grows. Numbers are kept exactly.
class Journal {
 public:
  static Result<Journal> create(const std::string& path, const JournalHeader& header);
  /// Goes on behind the first `length` bytes, as `length()` told once.
  static Result<Journal> reopen(const std::string& path, int64_t length);

  Result<void> append(const FrameRecord& record);
  /// Everything appended is on the disk.
  Result<void> sync() { return file_.sync(); }
  int64_t length() const { return file_.length(); }

 private:
  explicit Journal(RecordWriter file) : file_(std::move(file)) {}
  RecordWriter file_;
};

/// Reads a journal from its beginning, in constant memory; for several passes it is opened several
/// times. A damaged one is refused: mismatch.
class JournalReader {
 public:
  /// Only the first `length` bytes where it is given.
  static Result<JournalReader> open(const std::string& path,
                                    int64_t length = std::numeric_limits<int64_t>::max());
  const JournalHeader& header() const { return header_; }
  /// The next frame's record; nothing at the end. The frames are 1, 2, 3, ...
  Result<std::optional<FrameRecord>> next();

 private:
  explicit JournalReader(RecordReader file) : file_(std::move(file)) {}
  RecordReader file_;
  JournalHeader header_;
  uint32_t version_ = 0;
  int64_t frames_ = 0;
};

}  // namespace vultus
