#pragma once

#include "gpu/context.hpp"
#include "gpu/kernel.hpp"
#include "host/run/device.hpp"

namespace vultus::gpu {

/// Measures the device with kernels that do nothing else (a few tenths of a second).
Result<DeviceSpeed> probe(const Context& context, Kernels& kernels);

}  // namespace vultus::gpu
