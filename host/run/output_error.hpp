#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/run/session.hpp"

namespace vultus {

/// How an output of a network differs from what it should be.
struct OutputError {
  std::string name;
  double max_abs = 0;  ///< largest difference of an element
  /// Largest difference of an element over its wanted magnitude, where that is not 0.
  double max_rel = 0;
  double rel_l2 = 0;         ///< |got - wanted| / |wanted|, Euclidean
  int64_t non_finite = 0;    ///< elements not finite in got or wanted, and not the same in both
  bool exact = false;        ///< integers and bools
  std::string incomparable;  ///< "is int64 1x3, not float32 1x3"; the rest is unset then

  /// Integers and bools to the last bit, floats with a relative L2 error of at most `tolerance`.
  bool within(double tolerance) const;
};

/// Element by element in double precision.
OutputError compare_output(const std::string& name, const Tensor& got, const Tensor& wanted);
/// Every output of the last finished run of slot 0 that `wanted` has, in the network's order.
std::vector<OutputError> compare_outputs(const Session& session,
                                         const std::map<std::string, Tensor>& wanted);

}  // namespace vultus
