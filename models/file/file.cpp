#include "models/file/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace vultus {

namespace {

std::string text_of(int error_number) {
  return std::generic_category().message(error_number);
}

}  // namespace

bool sync_folder_of(const std::string& path) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some network file systems cannot sync a folder and say EINVAL.
  return fd.get() >= 0 && (::fsync(fd.get()) == 0 || errno == EINVAL);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<OpenFile> open_regular(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0)
    return Error{Errc::bad_input, fmt::format("{}: cannot be opened: {}", path, text_of(errno))};
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0)
    return Error{Errc::bad_input, fmt::format("{}: cannot be examined: {}", path, text_of(errno))};
  if (S_ISDIR(status.st_mode)) return Error{Errc::bad_input, path + ": is a folder, not a file"};
  if (!S_ISREG(status.st_mode))
    return Error{Errc::bad_input, path + ": is not a regular file (a pipe, socket or device)"};
  return OpenFile{std::move(fd), static_cast<int64_t>(status.st_size)};
}

Result<std::vector<std::byte>> read_regular(const std::string& path, int64_t limit) {
  VULTUS_TRY(OpenFile file, open_regular(path));
  if (file.size > limit)
    return Error{Errc::bad_input,
                 fmt::format("{}: {} bytes are more than the {} accepted", path, file.size, limit)};
  std::vector<std::byte> bytes(static_cast<size_t>(file.size));
  size_t have = 0;
  while (have < bytes.size()) {
    ssize_t got = ::read(file.descriptor.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Error{Errc::bad_input, fmt::format("{}: cannot be read: {}", path, text_of(errno))};
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

bool write_all(int fd, const void* bytes, size_t count) {
  const char* from = static_cast<const char*>(bytes);
  while (count > 0) {
    ssize_t wrote = ::write(fd, from, count);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    from += wrote;
    count -= static_cast<size_t>(wrote);
  }
  return true;
}

Error unwritable(const std::string& path, int error_number) {
  return {Errc::unwritable, fmt::format("cannot write {}: {}", path, text_of(error_number))};
}

Result<PartialFile> PartialFile::create(const std::string& path) {
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    return unwritable(path, EISDIR);
  Descriptor fd(::open((path + ".partial").c_str(),
                       O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (fd.get() < 0) return unwritable(path, errno);
  return PartialFile(path, std::move(fd));
}

PartialFile& PartialFile::operator=(PartialFile&& other) noexcept {
  if (this != &other) {
    discard();
    path_ = std::move(other.path_);
    descriptor_ = std::move(other.descriptor_);
  }
  return *this;
}

PartialFile::~PartialFile() {
  discard();
}

void PartialFile::discard() {
  if (descriptor_.get() < 0) return;
  ::unlink(partial_path().c_str());
  Descriptor closing = std::move(descriptor_);
}

Result<void> PartialFile::commit() {
  if (::fsync(descriptor_.get()) != 0) return unwritable(path_, errno);
  if (::rename(partial_path().c_str(), path_.c_str()) != 0) return unwritable(path_, errno);
  { Descriptor closing = std::move(descriptor_); }
  if (!sync_folder_of(path_)) return unwritable(path_, errno);
  return {};
}

Result<void> write_file(const std::string& path, std::string_view bytes) {
  VULTUS_TRY(PartialFile file, PartialFile::create(path));
  if (!write_all(file.descriptor(), bytes.data(), bytes.size())) return unwritable(path, errno);
  return file.commit();
}

}  // namespace vultus
