#include "host/run/speed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>

#include "host/core/cache_file.hpp"

namespace vultus {

namespace {

constexpr size_t kNumbers = 5;
using Numbers = std::array<double, kNumbers>;

std::optional<Numbers> numbers_in(const CacheFile& file, const std::string& key) {
  Numbers numbers;
  const std::vector<std::byte> kept = file.read(4096);
  auto payload = unseal(key, kept);
  if (!payload || payload->size() != sizeof(numbers)) return {};
  std::memcpy(numbers.data(), payload->data(), sizeof(numbers));
  const bool sound =
      std::ranges::all_of(numbers, [](double n) { return std::isfinite(n) && n >= 0; });
  if (!sound || numbers[0] == 0 || numbers[1] == 0) return {};
  return numbers;
}

}  // namespace

Result<DeviceSpeed> cached_speed(const std::string& folder, const std::string& key, bool again,
                                 const std::function<Result<DeviceSpeed>()>& measure) {
  // Another version measures anew: its kernels may be others.
  const std::string full_key = fmt::format("speed 1|{}|{}", VULTUS_VERSION, key);
  const CacheFile file(
      folder, fmt::format("speed-{:016x}.bin", checksum_of(std::as_bytes(std::span(full_key)))));
  const std::optional<Numbers> kept = numbers_in(file, full_key);
  if (kept && !again)
    return DeviceSpeed{(*kept)[0], (*kept)[1], (*kept)[2], (*kept)[3], (*kept)[4]};
  VULTUS_TRY(DeviceSpeed speed, measure());
  Numbers numbers = {speed.gflops, speed.copy_gb_per_s, speed.dispatch_us, speed.dependent_us,
                     speed.submit_us};
  for (size_t i = 0; kept && i < kNumbers; ++i)
    numbers[i] = i < 2 ? std::max(numbers[i], (*kept)[i]) : std::min(numbers[i], (*kept)[i]);
  file.write(seal(full_key, std::as_bytes(std::span(numbers))));
  return DeviceSpeed{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]};
}

}  // namespace vultus
