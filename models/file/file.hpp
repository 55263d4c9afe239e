#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/core/result.hpp"

namespace vultus {

/// An open file descriptor, closed by the destructor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct OpenFile {
  Descriptor descriptor;
  int64_t size = 0;
};
/// Opens a regular file for reading without ever waiting (a FIFO, device or folder is refused).
/// bad_input with the path and the system's text.
Result<OpenFile> open_regular(const std::string& path);
/// The bytes of a regular file of at most `limit` bytes.
Result<std::vector<std::byte>> read_regular(const std::string& path, int64_t limit);

/// A file being written as `<path>.partial`; it gets its name in `commit`, after its bytes are on
/// disk. The destructor removes what was not committed. Errors are unwritable.
class PartialFile {
 public:
  static Result<PartialFile> create(const std::string& path);
  PartialFile(PartialFile&& other) noexcept = default;
  PartialFile& operator=(PartialFile&& other) noexcept;
  ~PartialFile();

  int descriptor() const { return descriptor_.get(); }
  const std::string& path() const { return path_; }
  std::string partial_path() const { return path_ + ".partial"; }
  Result<void> commit();

 private:
  PartialFile(std::string path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}
  void discard();
  std::string path_;
  Descriptor descriptor_;
};

/// A whole file at once, through a PartialFile.
Result<void> write_file(const std::string& path, std::string_view bytes);

/// Writes all bytes, however many calls it takes; false leaves the reason in errno.
bool write_all(int fd, const void* bytes, size_t count);

/// Puts the names in a file's folder on the disk, so that a rename survives a power cut. False
/// leaves the reason in errno.
bool sync_folder_of(const std::string& path);

/// "cannot write <path>: No space left on device".
Error unwritable(const std::string& path, int error_number);

}  // namespace vultus
