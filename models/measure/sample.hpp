#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace vultus::measure {

/// Quantiles of a series in bounded memory: all values up to `capacity`, then every second, every
/// fourth and so on, evenly over the series. Values that are not finite are passed over.
class BoundedSample {
 public:
  explicit BoundedSample(size_t capacity = 4096) : capacity_(capacity) {}

  void push(double value);
  int64_t count() const { return count_; }  ///< pushed, not kept
  /// Linear between neighbouring values; nothing when empty.
  std::optional<double> quantile(double q) const;
  std::optional<double> median() const { return quantile(0.5); }
  /// Median absolute deviation from the median, not scaled to a standard deviation.
  std::optional<double> mad() const;

 private:
  size_t capacity_;
  int64_t count_ = 0, stride_ = 1;
  std::vector<float> kept_;
};

}  // namespace vultus::measure
