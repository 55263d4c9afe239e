#include "host/onnx/file_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "host/onnx/proto.hpp"

namespace vultus {

FileSource::FileSource(const std::string& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}

FileSource::~FileSource() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<void> FileSource::check() {
  if (descriptor_ < 0) return bad_model("cannot be opened; check the path and its permissions");
  struct stat status;
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode))
    return bad_model("is not a file");
  size_ = static_cast<uint64_t>(status.st_size);
  return {};
}

bool FileSource::read(uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    offset += static_cast<uint64_t>(got);
    out = out.subspan(static_cast<size_t>(got));
  }
  return true;
}

google::protobuf::io::FileInputStream FileSource::from_beginning() const {
  lseek(descriptor_, 0, SEEK_SET);
  return google::protobuf::io::FileInputStream(descriptor_);
}

}  // namespace vultus
