#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "host/onnx/tensors.hpp"

namespace vultus {

ExternalFiles::~ExternalFiles() {
  for (auto& [location, file] : files_)
    close(file.descriptor);
}

Result<ExternalFiles::File> ExternalFiles::open(const std::string& location) {
  namespace fs = std::filesystem;
  auto known = files_.find(location);
  if (known != files_.end()) return known->second;
  if (folder_.empty())
    return bad_model("has external data, but a model read from memory has no folder for it");
  fs::path relative(location);
  if (location.empty() || relative.is_absolute())
    return bad_model(
        fmt::format("has external data at '{}'; it must be a path inside the model's "
                    "folder",
                    location));
  std::error_code error;
  fs::path root = fs::canonical(folder_, error);
  fs::path path = error ? fs::path() : fs::canonical(root / relative, error);
  if (error)
    return bad_model(
        fmt::format("has external data in '{}', which is not there; put the file "
                    "beside the model",
                    location));
  auto [end, unused] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  if (end != root.end())
    return bad_model(
        fmt::format("has external data at '{}', which lies outside the model's "
                    "folder; move it inside",
                    location));
  // The path is canonical, so a link in its place is somebody swapping files.
  File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW), 0};
  struct stat status;
  if (file.descriptor < 0)
    return bad_model(fmt::format("has external data in '{}', which cannot be opened", location));
  if (fstat(file.descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(file.descriptor);
    return bad_model(fmt::format("has external data in '{}', which is not a file", location));
  }
  file.size = status.st_size;
  return files_.emplace(location, file).first->second;
}

Result<void> ExternalFiles::check(const std::string& location, int64_t offset, int64_t length) {
  VULTUS_TRY(File file, open(location));
  if (offset > file.size || length > file.size - offset)
    return bad_model(fmt::format("needs bytes {} to {} of '{}', which has only {}", offset,
                                 static_cast<uint64_t>(offset) + static_cast<uint64_t>(length),
                                 location, file.size));
  return {};
}

Result<void> ExternalFiles::read(const std::string& location, int64_t offset,
                                 std::span<std::byte> out) {
  VULTUS_TRY(File file, open(location));
  while (!out.empty()) {
    ssize_t n = pread(file.descriptor, out.data(), out.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return bad_model(fmt::format("could not be read from '{}'", location));
    out = out.subspan(static_cast<size_t>(n));
    offset += n;
  }
  return {};
}

}  // namespace vultus
