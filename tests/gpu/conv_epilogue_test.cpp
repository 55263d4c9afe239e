#include <gtest/gtest.h>

#include "tests/gpu/dice.hpp"
#include "tests/gpu/lanes.hpp"
#include "tests/support/conv_epilogue_case.hpp"

namespace vultus::test {
namespace {

/// Both outputs where both are read, then each where it is the only one, with its padding lanes.
void expect_epilogue(Device& device, const ConvEpilogueCase& c) {
  SCOPED_TRACE(c.str());
  OpCase what = as_op_case(c);
  // A sum of a few dozen products, then a batch norm that may cancel.
  what.tolerance_fp32 = 1e-5;
  what.tolerance_fp16 = 4e-3;
  if (c.seed % 4 == 0) {
    expect_op(device, what, [&](size_t output, const Index& at) {
      return conv_epilogue_reference(c, what, output, at);
    });
    return;
  }
  const size_t which = what.outputs - 1;
  std::vector<double> expected;
  for_each({c.batch, c.out, c.h, c.w}, [&](const Index& at) {
    expected.push_back(conv_epilogue_reference(c, what, which, at));
  });
  expect_lanes(device, what, expected, alternate(c.seed), kHalfBound, which);
}

TEST(GpuConvEpilogue, EveryCombinationMatchesTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 0; seed < 60; ++seed)
    expect_epilogue(device, random_conv_epilogue(seed));
}

TEST(GpuConvEpilogue, EveryActivationOfTheSecondOutput) {
  VULTUS_NEED_GPU(device);
  uint32_t seed = 5001;
  for (const Epilogue& epilogue : kEpilogues)
    expect_epilogue(device,
                    {.seed = seed++, .in = 9, .out = 11, .h = 7, .w = 1, .second = epilogue});
}

TEST(GpuConvEpilogue, AnAddendThatDoesNotCoverTheOutputIsRefused) {
  OpCase what = as_op_case({.out = 4, .h = 5, .w = 6, .addend = {{}}});
  for (const Shape& shape : {Shape{1, 4, 2, 3}, Shape{1, 3, 5, 6}, Shape{1, 4, 5, 4}}) {
    std::vector<Operand> operands;
    for (const Operand& o : what.operands)
      operands.push_back({o.tensor.bytes() ? o.tensor.clone() : Tensor(), o.constant});
    operands[4].tensor = random_halves(shape, 1);
    auto graph = single_node(what.op, what.attributes, operands, 1, what.opset);
    ASSERT_FALSE(graph) << shape.str();
    EXPECT_NE(graph.error().what.find("addend"), std::string::npos) << graph.error().what;
  }
}

}  // namespace
}  // namespace vultus::test
