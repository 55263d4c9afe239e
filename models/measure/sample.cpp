#include "models/measure/sample.hpp"

#include <algorithm>
#include <cmath>

namespace vultus::measure {

namespace {

/// Of values in any order; they are reordered.
std::optional<double> quantile_of(std::vector<float>& values, double q) {
  if (values.empty()) return std::nullopt;
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), nth, values.end());
  const double low = *nth;
  if (below + 1 == values.size()) return low;
  const double high = *std::min_element(nth + 1, values.end());
  return low + (at - static_cast<double>(below)) * (high - low);
}

}  // namespace

void BoundedSample::push(double value) {
  if (!std::isfinite(value)) return;
  if (count_++ % stride_ != 0) return;
  if (kept_.size() == capacity_) {
    for (size_t i = 0; 2 * i < kept_.size(); ++i)
      kept_[i] = kept_[2 * i];
    kept_.resize((kept_.size() + 1) / 2);
    stride_ *= 2;
    if ((count_ - 1) % stride_ != 0) return;
  }
  kept_.push_back(static_cast<float>(value));
}

std::optional<double> BoundedSample::quantile(double q) const {
  std::vector<float> values = kept_;
  return quantile_of(values, q);
}

std::optional<double> BoundedSample::mad() const {
  std::vector<float> values = kept_;
  const std::optional<double> middle = quantile_of(values, 0.5);
  if (!middle) return std::nullopt;
  for (float& value : values)
    value = std::abs(value - static_cast<float>(*middle));
  return quantile_of(values, 0.5);
}

}  // namespace vultus::measure
