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

Result<std::string> sha256_of_file(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                       [](std::FILE* f) { return std::fclose(f); });
  if (!file)
    return Error{Errc::bad_input, fmt::format("{}: cannot be read: {}", path, strerror(errno))};
  std::unique_ptr<AVSHA, void (*)(AVSHA*)> sha(av_sha_alloc(), [](AVSHA* s) { av_free(s); });
  if (!sha || av_sha_init(sha.get(), 256) < 0)
    return Error{Errc::out_of_memory, "not enough memory for a SHA-256 sum"};
  std::vector<uint8_t> block(size_t{1} << 20);
  while (size_t n = std::fread(block.data(), 1, block.size(), file.get()))
    av_sha_update(sha.get(), block.data(), n);
  if (std::ferror(file.get()))
    return Error{Errc::bad_input, fmt::format("{}: reading failed: {}", path, strerror(errno))};
  std::array<uint8_t, 32> digest;
  av_sha_final(sha.get(), digest.data());
  std::string text;
  for (uint8_t byte : digest)
    text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace vultus
