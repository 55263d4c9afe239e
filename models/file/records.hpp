#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.hpp"
#include "models/file/file.hpp"

namespace vultus {

/// A file of records that only grows: eight characters that tell its kind, then for each record
/// its length and the CRC-32 of length and bytes (both 32 bits, little-endian), and the bytes.
/// What was appended survives a kill of the program; after `sync` also a power cut.
class RecordWriter {
 public:
  /// Replaces what is there. Errors name `shown` where it is given. unwritable.
  static Result<RecordWriter> create(const std::string& path, std::string_view kind,
                                     const std::string& shown = "");
  /// Goes on behind the first `length` bytes; what follows is cut off. mismatch where the file is
  /// shorter. The records are not read.
  static Result<RecordWriter> reopen(const std::string& path, int64_t length,
                                     const std::string& shown = "");

  /// At most 2^30 bytes.
  Result<void> append(std::span<const std::byte> record);
  Result<void> sync();
  int64_t length() const { return length_; }

 private:
  RecordWriter(std::string shown, Descriptor file, int64_t length)
      : shown_(std::move(shown)), file_(std::move(file)), length_(length) {}
  std::string shown_;
  Descriptor file_;
  int64_t length_;
  std::vector<std::byte> buffer_;
};

/// Reads such a file from its beginning in constant memory.
class RecordReader {
 public:
  /// Only the first `length` bytes, which end with a record. mismatch where it is not of this kind
  /// or shorter, bad_input where it is missing; unwritable where the system does not let it be
  /// read, which may pass.
  static Result<RecordReader> open(const std::string& path, std::string_view kind,
                                   int64_t length = std::numeric_limits<int64_t>::max());
  /// The next record, valid until the next call; nothing at the end. mismatch where it is damaged
  /// or cut off.
  Result<std::optional<std::span<const std::byte>>> next();
  const std::string& path() const { return path_; }

 private:
  RecordReader(std::string path, Descriptor file, int64_t length)
      : path_(std::move(path)), file_(std::move(file)), left_(length) {}
  Result<void> read(void* to, size_t count);
  Error damaged(std::string_view how) const;

  std::string path_;
  Descriptor file_;
  int64_t at_ = 0, left_;
  std::vector<std::byte> record_;
};

}  // namespace vultus
