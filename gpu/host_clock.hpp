#pragma once

#include <algorithm>
#include <limits>

namespace vultus::gpu {

/// The host's time of a moment on the device's clock, both in milliseconds, learnt from runs:
/// nothing begins before it was submitted or ends after it was seen done.
class HostClock {
 public:
  /// A run from `begin` to `end` by the device's clock.
  void learn(double begin, double end, double submitted, double done) {
    const double least = submitted - begin, most = done - end;
    least_ = std::max(least_, least);
    most_ = std::min(most_, most);
    // The clocks have drifted apart, or the device's has begun anew.
    if (least_ > most_) least_ = least, most_ = most;
  }
  /// After the first `learn`.
  double host_time(double device_time) const { return device_time + (least_ + most_) / 2; }

 private:
  double least_ = -std::numeric_limits<double>::infinity();  ///< of host less device
  double most_ = std::numeric_limits<double>::infinity();
};

}  // namespace vultus::gpu
