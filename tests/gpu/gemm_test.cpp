#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/gpu/dice.hpp"
#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

struct Case {
  int64_t m = 1, k = 8, n = 8;
  bool transposed = true;
  float alpha = 1, beta = 1;
  Shape c{};  ///< rank 0: a scalar
  bool has_c = true, run_time_c = false;
  Epilogue epilogue{};
  uint32_t seed = 1;
};

std::vector<double> reference(const Case& c, const test::OpCase& what) {
  std::vector<double> result;
  for (int64_t m = 0; m < c.m; ++m)
    for (int64_t n = 0; n < c.n; ++n) {
      double sum = 0;
      for (int64_t k = 0; k < c.k; ++k)
        sum += test::element(what.operands[0].tensor, {m, k}) *
               test::element(what.operands[1].tensor,
                             c.transposed ? test::Index{n, k} : test::Index{k, n});
      sum *= static_cast<double>(c.alpha);
      if (c.has_c)
        sum +=
            static_cast<double>(c.beta) * test::broadcast_element(what.operands[2].tensor, {m, n});
      result.push_back(test::activated(sum, c.epilogue));
    }
  return result;
}

void expect_gemm(Device& device, const Case& c,
                 const std::vector<Precision>& precisions = {Precision::fp32, Precision::fp16}) {
  SCOPED_TRACE(fmt::format("seed {}: {} x {} x {}, C {}", c.seed, c.m, c.k, c.n, c.c.str()));
  test::OpCase what{.op = "Gemm"};
  what.attributes = test::with_epilogue(
      {{"alpha", c.alpha}, {"beta", c.beta}, {"transB", int64_t{c.transposed}}}, c.epilogue);
  what.operands.push_back({test::random_halves({c.m, c.k}, c.seed)});
  what.operands.push_back(test::constant(
      test::random_halves(c.transposed ? Shape{c.n, c.k} : Shape{c.k, c.n}, c.seed + 1)));
  if (c.has_c) what.operands.push_back({test::random_halves(c.c, c.seed + 2), !c.run_time_c});
  test::expect_lanes(device, what, reference(c, what), precisions);
}

TEST(GpuGemm, RandomSizesMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 0; seed < 120; ++seed) {
    test::Dice dice(seed);
    Case c{.seed = seed};
    c.m = dice.among({1, 1, 2, 7, 8, 9, 33});
    c.k = dice.among({1, 3, 8, 9, 16, 98, 261});
    c.n = dice.among({1, 2, 8, 9, 17, 98, 261});
    c.transposed = dice.of(0, 1);
    // Powers of two: scaled weights are exact halves too.
    c.alpha = dice.of(0, 1) ? 1.0f : 0.5f;
    c.beta = dice.of(0, 1) ? 1.0f : 2.0f;
    c.has_c = dice.of(0, 4) != 0;
    const std::vector<Shape> shapes{{}, {1}, {c.n}, {1, c.n}, {c.m, 1}, {c.m, c.n}};
    c.c = shapes[static_cast<size_t>(dice.of(0, 5))];
    c.epilogue.kind = dice.of(0, 1) ? Activation::relu : Activation::none;
    expect_gemm(device, c, test::alternate(seed));
  }
}

TEST(GpuGemm, RowOfTheClassifier) {
  VULTUS_NEED_GPU(device);
  expect_gemm(device, {.k = 1280, .n = 1280, .c = {1280}});
}

TEST(GpuGemm, RunTimeCOfTheFullShapeIsAdded) {
  VULTUS_NEED_GPU(device);
  expect_gemm(device, {.m = 5, .k = 12, .n = 11, .c = {5, 11}, .run_time_c = true});
}

std::string refusal(Device& device, std::map<std::string, Attribute, std::less<>> attributes,
                    const Shape& a, const Shape& b, bool constant_b) {
  std::vector<test::Operand> operands;
  operands.push_back({Tensor(DType::f32, a)});
  operands.push_back({Tensor(DType::f32, b), constant_b});
  auto graph = test::single_node("Gemm", std::move(attributes), operands);
  if (!graph) return graph.error().what;
  return device.supports(*graph, graph->nodes[0], Precision::fp32).reason;
}

TEST(GpuGemm, TransposedAAndRunTimeBAreRefusedWithAReason) {
  VULTUS_NEED_GPU(device);
  EXPECT_NE(refusal(device, {{"transA", int64_t{1}}}, {4, 3}, {4, 5}, true).find("transA"),
            std::string::npos);
  EXPECT_NE(refusal(device, {}, {3, 4}, {4, 5}, false).find("computed at run time"),
            std::string::npos);
}

}  // namespace
}  // namespace vultus
