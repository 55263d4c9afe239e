#include "host/run/cached_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "host/core/cache_file.hpp"

namespace vultus {

CachedNumbers::CachedNumbers(std::string folder, std::string kind, const std::string& key)
    : folder_(std::move(folder)),
      key_(fmt::format("{} 2|{}|{}", kind, VULTUS_VERSION, key)),
      name_(fmt::format("{}-{:016x}.bin", kind, checksum_of(std::as_bytes(std::span(key_))))) {}

std::optional<std::vector<double>> CachedNumbers::read(size_t count) const {
  const std::vector<std::byte> kept =
      CacheFile(folder_, name_).read(4096 + key_.size() + count * sizeof(double));
  auto payload = unseal(key_, kept);
  if (!payload || payload->size() != count * sizeof(double)) return {};
  std::vector<double> numbers(count);
  if (count > 0) std::memcpy(numbers.data(), payload->data(), payload->size());
  if (!std::ranges::all_of(numbers, [](double n) { return std::isfinite(n); })) return {};
  return numbers;
}

void CachedNumbers::write(const std::vector<double>& numbers) const {
  CacheFile(folder_, name_).write(seal(key_, std::as_bytes(std::span(numbers))));
}

}  // namespace vultus
