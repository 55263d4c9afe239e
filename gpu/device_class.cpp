#include "gpu/device_class.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vultus::gpu {

namespace {

// Fewer than most such devices have: an assumption too large would choose tiles too small.
uint32_t assumed_cores(const std::string& type) {
  if (type == "discrete") return 32;
  return type == "virtual" ? 16 : 8;
}

// Qualcomm, ARM, Imagination, Broadcom: workgroup memory is cached global memory or slower than
// registers.
constexpr std::array<uint32_t, 4> kWithoutFastSharedMemory{0x5143, 0x13b5, 0x1010, 0x14e4};

}  // namespace

std::string_view name_of(DeviceTier tier) {
  switch (tier) {
    case DeviceTier::software:
      return "software";
    case DeviceTier::small:
      return "small";
    case DeviceTier::large:
      return "large";
  }
  return "?";
}

DeviceClass classify(const DeviceReport& report) {
  if (report.type == "software")
    return {DeviceTier::software, 1, false,
            "the CPU in disguise: direct kernels without shared memory"};
  DeviceClass made;
  made.cores = report.cores > 0 ? report.cores : assumed_cores(report.type);
  std::string cores = fmt::format("{} cores{}", made.cores, report.cores > 0 ? "" : " assumed");
  bool own_memory = report.type == "discrete" || report.type == "virtual";
  made.tier = own_memory ? DeviceTier::large : DeviceTier::small;
  made.staging = std::count(kWithoutFastSharedMemory.begin(), kWithoutFastSharedMemory.end(),
                            report.vendor) == 0;
  made.reason = fmt::format(
      "{}, {}: {}", report.type, cores,
      made.staging ? "tiled kernels" : "direct kernels, its shared memory is not faster");
  return made;
}

}  // namespace vultus::gpu
