#pragma once

#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <string>

#include "host/core/result.hpp"
#include "host/onnx/weights.hpp"

namespace vultus {

/// A file that protobuf can read. Nothing but `check` before that has succeeded.
class FileSource : public ByteSource {
 public:
  /// Non-blocking, so that a named pipe does not hang before it is refused.
  explicit FileSource(const std::string& path);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  /// Errc::bad_model unless it is open and a regular file.
  Result<void> check();
  uint64_t size() const override { return size_; }
  bool read(uint64_t offset, std::span<std::byte> out) const override;
  google::protobuf::io::FileInputStream from_beginning() const;

 private:
  int descriptor_;
  uint64_t size_ = 0;
};

}  // namespace vultus
