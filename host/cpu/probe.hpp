#pragma once

#include "host/core/result.hpp"
#include "host/run/speed.hpp"

namespace vultus::cpu {

/// Measures copying and oneDNN's matrix product on that many threads.
Result<DeviceSpeed> probe(int threads);

}  // namespace vultus::cpu
