#include "host/ops/pointwise_program.hpp"
#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

Attributes attributes(const PointwiseProgram& program) {
  Node node;
  set_pointwise_program(node, program);
  return std::move(node.attributes);
}

/// max(a * b, 1), and whether a is above b.
PointwiseProgram two_results() {
  return {.inputs = 2,
          .immediates = {1},
          .code = {{PointwiseOp::mul, 0, 1, 0},
                   {PointwiseOp::max, 3, 2, 0},
                   {PointwiseOp::greater, 0, 1, 0}},
          .results = {4, 5},
          .types = {DType::f32, DType::boolean}};
}

TEST(Pointwise, ResultsHaveTheShapeOfAllInputsTogether) {
  auto results = run_op("Pointwise", attributes(two_results()),
                        operands(floats({2, 1}, {1, 3}), floats({3}, {0, 2, 4})), 2);
  ASSERT_TRUE(results) << results.error().what;
  EXPECT_EQ((*results)[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(values<float>((*results)[0]), (std::vector<float>{1, 2, 4, 1, 6, 12}));
  EXPECT_EQ(values<bool>((*results)[1]),
            (std::vector<bool>{true, false, false, true, true, false}));
}

TEST(Pointwise, LongRowsAreRunInStretches) {
  Tensor x = random_tensor({3, 1000}, 1), y = random_tensor({3, 1}, 2);
  auto results = run_op("Pointwise", attributes(two_results()), operands(x.clone(), y.clone()), 2);
  ASSERT_TRUE(results) << results.error().what;
  for (size_t i = 0; i < 3000; ++i)
    EXPECT_EQ((*results)[0].as<float>()[i],
              std::max(x.as<float>()[i] * y.as<float>()[i / 1000], 1.0f));
}

TEST(Pointwise, BrokenProgramsAreRefused) {
  auto expect_refused = [](auto break_it, std::string_view fragment) {
    PointwiseProgram program = two_results();
    break_it(program);
    expect_in(fragment,
              refusal("Pointwise", attributes(program),
                      operands(floats({1}, {1}), floats({1}, {2})), 18, program.results.size()));
  };
  expect_refused([](auto& p) { p.code.clear(); }, "parts");
  expect_refused([](auto& p) { p.code.resize(17); }, "parts");
  expect_refused([](auto& p) { p.immediates.resize(9); }, "parts");
  expect_refused([](auto& p) { p.types.pop_back(); }, "parts");
  expect_refused([](auto& p) { p.code[0].op = PointwiseOp::count; }, "instruction");
  expect_refused([](auto& p) { p.code[0].b = 3; }, "instruction");
  expect_refused([](auto& p) { p.results[0] = 6; }, "register");
  expect_in("broadcast",
            refusal("Pointwise", attributes(two_results()), operands(iota({2}), iota({3})), 18, 2));
}

}  // namespace
}  // namespace vultus::test
