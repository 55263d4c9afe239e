#pragma once

#include <algorithm>
#include <cmath>

namespace vultus {

/// How far finite elements are from what was wanted, added up.
class ErrorSum {
 public:
  /// `difference` and `wanted` are magnitudes.
  void add(double difference, double wanted) {
    max_abs_ = std::max(max_abs_, difference);
    square_ += difference * difference;
    norm_ += wanted * wanted;
  }
  double max_abs() const { return max_abs_; }
  /// |got - wanted| / |wanted|, Euclidean; 0 where nothing differs.
  double rel_l2() const { return square_ > 0 ? std::sqrt(square_ / std::max(norm_, 1e-300)) : 0; }

 private:
  double max_abs_ = 0, square_ = 0, norm_ = 0;
};

}  // namespace vultus
