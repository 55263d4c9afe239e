#include "host/run/speed.hpp"

#include <algorithm>

#include "host/run/cached_numbers.hpp"

namespace vultus {

namespace {

constexpr size_t kNumbers = 5;
constexpr size_t kRates = 2;  // of them, first; the others are times

DeviceSpeed speed_of(const std::vector<double>& n) {
  return {n[0], n[1], n[2], n[3], n[4]};
}

bool is_sound(const std::vector<double>& numbers) {
  return std::ranges::all_of(numbers, [](double n) { return n >= 0; }) && numbers[0] > 0 &&
         numbers[1] > 0;
}

}  // namespace

Result<DeviceSpeed> cached_speed(const std::string& folder, const std::string& key, bool again,
                                 const std::function<Result<DeviceSpeed>()>& measure) {
  const CachedNumbers file(folder, "speed", key);
  auto kept = file.read(kNumbers);
  if (kept && !is_sound(*kept)) kept.reset();
  if (kept && !again) return speed_of(*kept);
  VULTUS_TRY(DeviceSpeed speed, measure());
  std::vector<double> numbers = {speed.gflops, speed.copy_gb_per_s, speed.dispatch_us,
                                 speed.dependent_us, speed.submit_us};
  for (size_t i = 0; kept && i < kNumbers; ++i)
    numbers[i] = i < kRates ? std::max(numbers[i], (*kept)[i]) : std::min(numbers[i], (*kept)[i]);
  file.write(numbers);
  return speed_of(numbers);
}

}  // namespace vultus
