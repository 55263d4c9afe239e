#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "host/core/result.hpp"

namespace vultus {

/// A table while it is written: separator ",", decimal point ".", lines end with "\n".
class CsvFile {
 public:
  /// `header` without the line's end. unwritable with the path and the system's text.
  static Result<CsvFile> create(const std::string& path, std::string_view header);

  size_t columns() const { return columns_; }
  /// One row without the line's end.
  Result<void> add(std::string_view row);
  /// Flushes to the disk and closes. No call may follow.
  Result<void> finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  CsvFile(std::string path, std::FILE* file, size_t columns)
      : path_(std::move(path)), columns_(columns), file_(file) {}

  std::string path_;
  size_t columns_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// Reads a table of frames again: its header is `header`, every row has all cells, and the frames,
/// its first column, are 1..frames with none missing. Returns the number of rows with a face, which
/// have a face_id, the second column; mismatch names the first bad line.
Result<int64_t> verify_frames(const std::string& path, std::string_view header, int64_t frames);

}  // namespace vultus
