#include "host/core/cache_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace vultus {

namespace {

/// Ours, and nobody else may write: what is kept may be code that a driver will run.
bool trusted(const struct stat& status) {
  return status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// The folder, made if absent; false when it is unusable or not private.
bool private_folder(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), ignored);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return false;
  struct stat status {};
  return stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && trusted(status);
}

bool write_all(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
}

struct Header {
  char magic[4] = {'V', 'L', 'T', 'C'};
  uint32_t version = 1;
  uint64_t key = 0;
  uint64_t payload_bytes = 0;
  uint64_t checksum = 0;
};
static_assert(sizeof(Header) == 32);

Header header_of(std::string_view key, std::span<const std::byte> payload) {
  Header header;
  header.key = checksum_of(std::as_bytes(std::span(key)));
  header.payload_bytes = payload.size();
  header.checksum = checksum_of(payload);
  return header;
}

}  // namespace

std::string default_cache_folder() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && xdg[0] == '/')
    return std::string(xdg) + "/vultus";
  if (const char* home = std::getenv("HOME"); home && home[0] == '/')
    return std::string(home) + "/.cache/vultus";
  return {};
}

CacheFile::CacheFile(const std::string& folder, const std::string& name) {
  std::string chosen = folder.empty() ? default_cache_folder() : folder;
  if (!chosen.empty() && chosen != "-" && private_folder(chosen)) path_ = chosen + "/" + name;
}

std::vector<std::byte> CacheFile::read(size_t max_bytes) const {
  if (path_.empty()) return {};
  int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return {};
  struct stat status {};
  std::vector<std::byte> bytes;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && trusted(status) &&
      static_cast<size_t>(status.st_size) <= max_bytes) {
    bytes.resize(static_cast<size_t>(status.st_size));
    size_t done = 0;
    while (done < bytes.size()) {
      ssize_t got = ::read(file, bytes.data() + done, bytes.size() - done);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    bytes.resize(done);
  }
  ::close(file);
  return bytes;
}

void CacheFile::write(std::span<const std::byte> bytes) const {
  if (path_.empty()) return;
  std::string temporary = path_ + ".XXXXXX";
  int file = mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) return;
  bool written = write_all(file, bytes);
  written = ::close(file) == 0 && written;
  if (!written || std::rename(temporary.c_str(), path_.c_str()) != 0) unlink(temporary.c_str());
}

uint64_t checksum_of(std::span<const std::byte> bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (std::byte b : bytes)
    hash = (hash ^ static_cast<uint8_t>(b)) * 0x100000001b3u;
  return hash;
}

std::vector<std::byte> seal(std::string_view key, std::span<const std::byte> payload) {
  Header header = header_of(key, payload);
  std::vector<std::byte> file(sizeof(Header) + payload.size());
  std::memcpy(file.data(), &header, sizeof(Header));
  std::copy(payload.begin(), payload.end(), file.begin() + sizeof(Header));
  return file;
}

std::optional<std::span<const std::byte>> unseal(std::string_view key,
                                                 std::span<const std::byte> file) {
  if (file.size() < sizeof(Header)) return std::nullopt;
  auto payload = file.subspan(sizeof(Header));
  Header expected = header_of(key, payload);
  if (std::memcmp(file.data(), &expected, sizeof(Header)) != 0) return std::nullopt;
  return payload;
}

}  // namespace vultus
