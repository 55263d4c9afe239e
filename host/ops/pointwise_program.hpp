#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "host/core/result.hpp"
#include "host/core/tensor.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// What one instruction computes of registers a, b, c. Booleans are 0 and 1. The numbers are those
/// of shaders/pointwise.comp; the first sixteen are also those of shaders/binary.comp.
enum class PointwiseOp : uint8_t {
  add,
  sub,
  mul,
  div,
  pow,
  max,
  min,
  prelu,  ///< a < 0 ? a * b : a; LeakyRelu too
  equal,
  greater,
  greater_or_equal,
  less,
  less_or_equal,
  both,
  either,
  exclusive,
  where,  ///< a ? b : c
  clip,   ///< a within b..c
  relu,
  sigmoid,
  tanh,
  hard_sigmoid,  ///< b * a + c within 0..1
  hard_swish,
  silu,
  exp,
  log,
  sqrt,
  abs,
  neg,
  reciprocal,
  floor,
  ceil,
  round,
  sign,
  negation,
  truth,  ///< a != 0
  count
};

struct PointwiseInstruction {
  PointwiseOp op = PointwiseOp::add;
  uint8_t a = 0, b = 0, c = 0;  ///< registers; those that `op` does not use repeat `a`
};

/// The body of a Pointwise node. Registers count from the node's inputs over the immediates to the
/// instructions, each of which writes the next one. Every result has the shape of all inputs
/// broadcast together.
struct PointwiseProgram {
  static constexpr size_t kMostInputs = 6, kMostImmediates = 8, kMostInstructions = 16,
                          kMostResults = 3;
  /// Inputs smaller than the result.
  static constexpr size_t kMostBroadcasts = 3;
  static constexpr int kMostAxes = 4;

  size_t inputs = 0;
  std::vector<float> immediates;
  std::vector<PointwiseInstruction> code;
  std::vector<uint8_t> results;  ///< registers
  std::vector<DType> types;      ///< of the results: f32 or boolean

  size_t registers() const { return inputs + immediates.size() + code.size(); }
};

/// Reads and checks the program of a node.
Result<PointwiseProgram> pointwise_program(const Node& node);
/// Writes it into the node's attributes: `code`, `immediates`, `results`, `types`.
void set_pointwise_program(Node& node, const PointwiseProgram& program);

/// Where an operand lies: element strides per axis of `dims` of the run, 0 where it repeats (not
/// looked at for results).
struct PointwiseOperand {
  std::byte* data = nullptr;
  DType dtype = DType::f32;
  Shape strides;
};
/// Runs the program over `dims`, in pieces on several threads. Results are dense in `dims`.
void run_pointwise(const PointwiseProgram& program, std::span<const int64_t> dims,
                   std::span<const PointwiseOperand> inputs,
                   std::span<const PointwiseOperand> results);

}  // namespace vultus
