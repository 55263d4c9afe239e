#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host/graph/activation.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {

using Index = std::vector<int64_t>;
using Attributes = std::map<std::string, Attribute, std::less<>>;

/// Element of a tensor of any type, as double.
double element(const Tensor& t, const Index& index);
/// Element at the position that `index` of a result broadcasts to.
double broadcast_element(const Tensor& t, const Index& index);
/// Calls `visit` for every position of `shape`, row by row.
void for_each(const Shape& shape, const std::function<void(const Index&)>& visit);
/// Values in [low, high) that both storage types hold exactly.
Tensor random_halves(const Shape& shape, uint32_t seed, float low = -1, float high = 1);
Tensor random_booleans(const Shape& shape, uint32_t seed);
Tensor random_integers(const Shape& shape, uint32_t seed, int64_t low, int64_t high);
Operand constant(Tensor tensor);
/// Naive activation in double.
double activated(double x, const Epilogue& epilogue);

struct OpCase {
  std::string op;
  Attributes attributes = {};
  std::vector<Operand> operands = {};
  size_t outputs = 1;
  int opset = 18;
  /// Allowed |difference| / (1 + |expected|). fp16 keeps 11 bits; fp32 results differ by a few
  /// roundings.
  double tolerance_fp32 = 2e-6;
  double tolerance_fp16 = 1e-3;
};
/// What output `i` should be at `index`, in double.
using Reference = std::function<double(size_t i, const Index& index)>;

/// Runs the node on a device in both precisions with its rank-4 float inputs in either layout, and
/// compares every element. Operands must be exact in fp16.
void expect_op(Device& device, const OpCase& what, const Reference& reference);

}  // namespace vultus::test
