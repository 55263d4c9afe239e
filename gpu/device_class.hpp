#pragma once

#include <string>

#include "gpu/device.hpp"

namespace vultus::gpu {

/// What the choice of kernels needs to know of a device.
enum class DeviceTier : uint8_t {
  software,  ///< the CPU in disguise: shared memory costs, registers are caches
  small,     ///< shares memory with the CPU, or shared memory is no faster than global memory
  large,     ///< memory and many cores of its own
};
std::string_view name_of(DeviceTier tier);

struct DeviceClass {
  DeviceTier tier = DeviceTier::software;
  uint32_t cores = 1;  ///< what runs workgroups: SMs, compute units; told by the driver or assumed
  bool staging = false;  ///< copying inputs to shared memory pays
  std::string reason;    ///< one sentence
};
/// From what the driver reports; pure.
DeviceClass classify(const DeviceReport& report);

}  // namespace vultus::gpu
