#include "models/pack/sha256.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

extern "C" {
#include <libavutil/mem.h>
#include <libavutil/sha.h>
}

namespace vultus {

namespace {

class Sha256 {
 public:
  bool open() { return sha_ && av_sha_init(sha_.get(), 256) >= 0; }
  void add(const void* bytes, size_t size) {
    av_sha_update(sha_.get(), static_cast<const uint8_t*>(bytes), size);
  }
  std::string finish() {
    std::array<uint8_t, 32> digest;
    av_sha_final(sha_.get(), digest.data());
    std::string text;
    for (uint8_t byte : digest)
      text += fmt::format("{:02x}", byte);
    return text;
  }

 private:
  std::unique_ptr<AVSHA, void (*)(AVSHA*)> sha_{av_sha_alloc(), [](AVSHA* s) { av_free(s); }};
};

Error no_memory() {
  return {Errc::out_of_memory, "not enough memory for a SHA-256 sum"};
}

}  // namespace

Result<std::string> sha256_of_file(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                       [](std::FILE* f) { return std::fclose(f); });
  if (!file)
    return Error{Errc::bad_input, fmt::format("{}: cannot be read: {}", path, strerror(errno))};
  Sha256 sha;
  if (!sha.open()) return no_memory();
  std::vector<uint8_t> block(size_t{1} << 20);
  while (size_t n = std::fread(block.data(), 1, block.size(), file.get()))
    sha.add(block.data(), n);
  if (std::ferror(file.get()))
    return Error{Errc::bad_input, fmt::format("{}: reading failed: {}", path, strerror(errno))};
  return sha.finish();
}

Result<std::string> sha256_of(std::string_view bytes) {
  Sha256 sha;
  if (!sha.open()) return no_memory();
  sha.add(bytes.data(), bytes.size());
  return sha.finish();
}

}  // namespace vultus
