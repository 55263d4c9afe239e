#pragma once

#include <functional>
#include <string>

#include "host/core/result.hpp"

namespace vultus {

/// What a device reaches at best, measured with kernels that do nothing else.
struct DeviceSpeed {
  double gflops = 0;         ///< fp32 multiply-adds in registers (CPU: matrix product), two each
  double copy_gb_per_s = 0;  ///< bytes read plus bytes written by a large copy
  double dispatch_us = 0;    ///< of an empty kernel, one after the other, independent; 0: no such
  double dependent_us = 0;   ///< the same with a barrier before each
  double submit_us = 0;      ///< from submit of one empty kernel to known finished
};

/// The speed kept in the cache file of that key, or measured now and kept. `again`: measured in any
/// case, and the better of the two kept, number by number, as busy devices seem slower than they
/// are. `folder` as for `CacheFile`.
Result<DeviceSpeed> cached_speed(const std::string& folder, const std::string& key, bool again,
                                 const std::function<Result<DeviceSpeed>()>& measure);

}  // namespace vultus
