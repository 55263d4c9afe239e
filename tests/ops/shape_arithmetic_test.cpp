#include <cmath>

#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

using I = std::vector<int64_t>;
using F = std::vector<float>;

TEST(ShapeOp, GivesTheSizesOfItsInput) {
  EXPECT_EQ(values<int64_t>(run("Shape", {}, operands(iota({2, 3, 4})))), (I{2, 3, 4}));
}

TEST(ShapeOp, BoundsOfOpset15ClampAndCountFromTheEnd) {
  EXPECT_EQ(values<int64_t>(run("Shape", {{"start", int64_t{-2}}}, operands(iota({2, 3, 4})))),
            (I{3, 4}));
  EXPECT_EQ(values<int64_t>(run("Shape", {{"start", int64_t{1}}, {"end", int64_t{-1}}},
                                operands(iota({2, 3, 4})))),
            (I{3}));
  EXPECT_EQ(values<int64_t>(run("Shape", {{"start", int64_t{3}}, {"end", int64_t{9}}},
                                operands(iota({2, 3, 4})))),
            (I{}));
}

TEST(SizeOp, CountsElements) {
  EXPECT_EQ(values<int64_t>(run("Size", {}, operands(iota({2, 3, 4})))), (I{24}));
}

TEST(Gather, TakesRowsByIndexAlsoFromTheEnd) {
  Tensor t = run("Gather", {{"axis", int64_t{1}}}, operands(iota({2, 3, 2}), ints({2, -3})));
  EXPECT_EQ(t.shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(values<float>(t), (F{4, 5, 0, 1, 10, 11, 6, 7}));
}

TEST(Gather, ScalarIndexDropsTheAxis) {
  Tensor t = run("Gather", {}, operands(ints({7, 8, 9}), scalar(int64_t{1})));
  EXPECT_EQ(t.shape(), Shape{});
  EXPECT_EQ(values<int64_t>(t), (I{8}));
}

TEST(Gather, IndexOutOfRangeIsRefused) {
  expect_in("index 3 is out of range for size 3",
            refusal("Gather", {}, operands(ints({7, 8, 9}), ints({3}))));
  expect_in("Gather 'node': axis 1",
            refusal("Gather", {{"axis", int64_t{1}}}, operands(ints({7, 8, 9}), ints({0}))));
}

TEST(GatherElements, PicksPerElementAlongTheAxis) {
  Tensor data = floats({3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  Tensor index = Tensor::of<int64_t>({2, 3}, {1, 2, 0, 2, 0, 0});
  EXPECT_EQ(values<float>(run("GatherElements", {}, operands(data.clone(), index.clone()))),
            (F{4, 8, 3, 7, 2, 3}));
}

TEST(GatherND, ExamplesOfTheSpecification) {
  Tensor data = floats({2, 2}, {0, 1, 2, 3});
  EXPECT_EQ(values<float>(run("GatherND", {},
                              operands(data.clone(), Tensor::of<int64_t>({2, 2}, {0, 0, 1, 1})))),
            (F{0, 3}));
  EXPECT_EQ(values<float>(
                run("GatherND", {}, operands(data.clone(), Tensor::of<int64_t>({2, 1}, {1, 0})))),
            (F{2, 3, 0, 1}));
  EXPECT_EQ(values<float>(run("GatherND", {{"batch_dims", int64_t{1}}},
                              operands(iota({2, 2, 2}), Tensor::of<int64_t>({2, 1}, {1, 0})))),
            (F{2, 3, 4, 5}));
  expect_in("index 2 is out of range",
            refusal("GatherND", {}, operands(data.clone(), Tensor::of<int64_t>({1, 1}, {2}))));
}

TEST(Squeeze, AxesAreAnAttributeBeforeOpset13AndAnInputSince) {
  EXPECT_EQ(run("Squeeze", {{"axes", I{-1}}}, operands(iota({1, 3, 1})), 11).shape(),
            (Shape{1, 3}));
  EXPECT_EQ(run("Squeeze", {}, operands(iota({1, 3, 1}), ints({0}))).shape(), (Shape{3, 1}));
  EXPECT_EQ(run("Squeeze", {}, operands(iota({1, 3, 1}))).shape(), (Shape{3}));
}

TEST(Squeeze, AnAxisThatIsNotOneIsRefused) {
  expect_in("axis 1 of 1x3x1 has size 3",
            refusal("Squeeze", {}, operands(iota({1, 3, 1}), ints({1}))));
}

TEST(Unsqueeze, AxesCountInTheOutput) {
  EXPECT_EQ(run("Unsqueeze", {{"axes", I{0, 3}}}, operands(iota({3, 4})), 11).shape(),
            (Shape{1, 3, 4, 1}));
  EXPECT_EQ(run("Unsqueeze", {}, operands(iota({3, 4}), ints({-1}))).shape(), (Shape{3, 4, 1}));
  expect_in("given twice", refusal("Unsqueeze", {}, operands(iota({3}), ints({0, 0}))));
}

TEST(Unsqueeze, RankAboveTheLimitIsRefused) {
  expect_in("rank 9",
            refusal("Unsqueeze", {}, operands(iota({1, 1, 1, 1, 1, 1, 1, 1}), ints({0}))));
}

TEST(Concat, JoinsAlongTheAxis) {
  Tensor t = run("Concat", {{"axis", int64_t{-1}}},
                 operands(iota({2, 2}), floats({2, 1}, {8, 9}), iota({2, 0})));
  EXPECT_EQ(t.shape(), (Shape{2, 3}));
  EXPECT_EQ(values<float>(t), (F{0, 1, 8, 2, 3, 9}));
}

TEST(Concat, UnequalSizesAreRefused) {
  expect_in("input 1 (3x2 float32) does not fit",
            refusal("Concat", {{"axis", int64_t{1}}}, operands(iota({2, 2}), iota({3, 2}))));
}

TEST(Slice, AttributesBeforeOpset10) {
  EXPECT_EQ(values<float>(run("Slice", {{"starts", I{1}}, {"ends", I{1000}}, {"axes", I{1}}},
                              operands(iota({2, 3})), 9)),
            (F{1, 2, 4, 5}));
}

TEST(Slice, NegativeStepsAndBoundsBeyondTheAxis) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(values<float>(run(
                "Slice", {}, operands(iota({5}), ints({-1}), ints({kMin}), ints({0}), ints({-2})))),
            (F{4, 2, 0}));
  EXPECT_EQ(values<float>(run("Slice", {},
                              operands(iota({5}), ints({10}), ints({1}), ints({0}), ints({-1})))),
            (F{4, 3, 2}));
  EXPECT_EQ(values<float>(run(
                "Slice", {},
                operands(iota({2, 4}), ints({0, 1}), ints({2, -1}), ints({0, 1}), ints({1, 2})))),
            (F{1, 5}));
}

TEST(Slice, HugeStepsDoNotOverflow) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(
      values<float>(
          run("Slice", {}, operands(iota({5}), ints({-1}), ints({kMin}), ints({0}), ints({kMin})))),
      (F{4}));
}

TEST(Slice, BadArgumentsAreRefused) {
  expect_in("step of axis 0 is 0",
            refusal("Slice", {}, operands(iota({5}), ints({0}), ints({1}), ints({0}), ints({0}))));
  expect_in("do not match", refusal("Slice", {}, operands(iota({5}), ints({0, 1}), ints({1}))));
}

TEST(Reshape, CopiesZerosAndSolvesForMinusOne) {
  EXPECT_EQ(run("Reshape", {}, operands(iota({2, 3, 4}), ints({0, -1}))).shape(), (Shape{2, 12}));
  EXPECT_EQ(
      run("Reshape", {{"allowzero", int64_t{1}}}, operands(iota({0, 3}), ints({3, 0}))).shape(),
      (Shape{3, 0}));
}

TEST(Reshape, ImpossibleTargetsAreRefused) {
  expect_in("more than one -1", refusal("Reshape", {}, operands(iota({4}), ints({-1, -1}))));
  expect_in("has 4 elements", refusal("Reshape", {}, operands(iota({4}), ints({3}))));
  expect_in("cannot be divided", refusal("Reshape", {}, operands(iota({4}), ints({3, -1}))));
  expect_in("no input axis", refusal("Reshape", {}, operands(iota({4}), ints({4, 0}))));
  expect_in("negative or too large", refusal("Reshape", {}, operands(iota({4}), ints({-2}))));
}

TEST(Reshape, ATargetKnownOnlyAtRunTimeIsRefused) {
  std::vector<Operand> inputs = operands(iota({4}), ints({4}));
  inputs[1].constant = false;
  auto graph = single_node("Reshape", {}, inputs);
  ASSERT_FALSE(graph);
  expect_in("computed at run time", graph.error().what);
}

TEST(Flatten, MakesTwoAxes) {
  EXPECT_EQ(run("Flatten", {}, operands(iota({2, 3, 4}))).shape(), (Shape{2, 12}));
  EXPECT_EQ(run("Flatten", {{"axis", int64_t{-1}}}, operands(iota({2, 3, 4}))).shape(),
            (Shape{6, 4}));
  EXPECT_EQ(run("Flatten", {{"axis", int64_t{0}}}, operands(iota({2, 3}))).shape(), (Shape{1, 6}));
}

TEST(ConstantOfShape, FillsWithItsValue) {
  auto value = std::make_shared<const Tensor>(ints({5}));
  EXPECT_EQ(values<int64_t>(run("ConstantOfShape", {{"value", value}}, operands(ints({2, 1})))),
            (I{5, 5}));
  EXPECT_EQ(values<float>(run("ConstantOfShape", {}, operands(ints({3})))), (F{0, 0, 0}));
}

TEST(ConstantOfShape, SizesBeyondTheLimitAreRefused) {
  expect_in("not a size this engine accepts",
            refusal("ConstantOfShape", {}, operands(ints({1 << 20, 1 << 20}))));
  expect_in("size of -1", refusal("ConstantOfShape", {}, operands(ints({-1}))));
}

TEST(Expand, BroadcastsBothWays) {
  Tensor t = run("Expand", {}, operands(floats({2, 1}, {1, 2}), ints({2, 1, 3})));
  EXPECT_EQ(t.shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(values<float>(t), (F{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}));
}

TEST(Tile, RepeatsEveryAxis) {
  EXPECT_EQ(values<float>(run("Tile", {}, operands(iota({2, 2}), ints({2, 2})))),
            (F{0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3}));
  expect_in("repeated -1 times", refusal("Tile", {}, operands(iota({2}), ints({-1}))));
}

TEST(RangeOp, CountsUpAndDown) {
  EXPECT_EQ(
      values<int64_t>(
          run("Range", {}, operands(scalar(int64_t{10}), scalar(int64_t{4}), scalar(int64_t{-2})))),
      (I{10, 8, 6}));
  EXPECT_EQ(values<float>(run("Range", {}, operands(scalar(0.0f), scalar(1.0f), scalar(0.4f)))),
            (F{0, 0.4f, 0.8f}));
  expect_in("no end", refusal("Range", {}, operands(scalar(0.0f), scalar(1.0f), scalar(0.0f))));
}

TEST(EyeLike, PutsOnesOnADiagonal) {
  EXPECT_EQ(values<float>(run("EyeLike", {{"k", int64_t{1}}}, operands(iota({2, 3})))),
            (F{0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(values<int64_t>(run("EyeLike", {{"k", int64_t{-1}}, {"dtype", int64_t{7}}},
                                operands(iota({2, 2})))),
            (I{0, 0, 1, 0}));
}

TEST(Cast, ConvertsAndSaturates) {
  Tensor x = floats({5}, {1.9f, -1.9f, 3e9f, NAN, 0});
  EXPECT_EQ(values<int32_t>(run("Cast", {{"to", int64_t{6}}}, operands(x.clone()))),
            (std::vector<int32_t>{1, -1, std::numeric_limits<int32_t>::max(), 0, 0}));
  EXPECT_EQ(values<bool>(run("Cast", {{"to", int64_t{9}}}, operands(x.clone()))),
            (std::vector<bool>{true, true, true, true, false}));
  Tensor half = run("Cast", {{"to", int64_t{10}}}, operands(floats({2}, {1.5f, -0.25f})));
  EXPECT_EQ(half.dtype(), DType::f16);
  EXPECT_EQ(values<float>(run("Cast", {{"to", int64_t{1}}}, operands(std::move(half)))),
            (F{1.5f, -0.25f}));
  expect_in("ONNX type 8", refusal("Cast", {{"to", int64_t{8}}}, operands(x.clone())));
}

TEST(Transpose, PermutesAndReversesByDefault) {
  EXPECT_EQ(values<float>(run("Transpose", {}, operands(iota({2, 3})))), (F{0, 3, 1, 4, 2, 5}));
  Tensor t = run("Transpose", {{"perm", I{0, 2, 3, 1}}}, operands(iota({1, 2, 2, 2})));
  EXPECT_EQ(values<float>(t), (F{0, 4, 1, 5, 2, 6, 3, 7}));
  expect_in("perm has 1 entries", refusal("Transpose", {{"perm", I{0}}}, operands(iota({2, 3}))));
  expect_in("given twice", refusal("Transpose", {{"perm", I{0, 0}}}, operands(iota({2, 3}))));
}

TEST(Pad, ModesOfTheSpecification) {
  Tensor x = floats({1, 3}, {1, 2, 3});
  Tensor pads = ints({0, 2, 0, 1});
  EXPECT_EQ(values<float>(run("Pad", {}, operands(x.clone(), pads.clone(), scalar(9.0f)))),
            (F{9, 9, 1, 2, 3, 9}));
  EXPECT_EQ(values<float>(
                run("Pad", {{"mode", std::string("reflect")}}, operands(x.clone(), pads.clone()))),
            (F{3, 2, 1, 2, 3, 2}));
  EXPECT_EQ(
      values<float>(run("Pad", {{"mode", std::string("edge")}}, operands(x.clone(), pads.clone()))),
      (F{1, 1, 1, 2, 3, 3}));
  EXPECT_EQ(values<float>(
                run("Pad", {{"pads", I{1, 0, 0, -1}}, {"value", 5.0f}}, operands(x.clone()), 9)),
            (F{5, 5, 1, 2}));
  EXPECT_EQ(values<float>(run("Pad", {}, operands(x.clone(), ints({1, 0}), Tensor{}, ints({-1})))),
            (F{0, 1, 2, 3}));
}

TEST(Pad, WrapsAroundAsOftenAsNeeded) {
  EXPECT_EQ(values<float>(run("Pad", {{"mode", std::string("wrap")}},
                              operands(floats({3}, {1, 2, 3}), ints({4, 2})), 19)),
            (F{3, 1, 2, 3, 1, 2, 3, 1, 2}));
  expect_in("reach beyond axis 0 of size 0",
            refusal("Pad", {{"mode", std::string("wrap")}}, operands(iota({0}), ints({1, 0})), 19));
}

TEST(Pad, ReflectionBeyondTheInputIsRefused) {
  expect_in("reach beyond axis 1", refusal("Pad", {{"mode", std::string("reflect")}},
                                           operands(iota({1, 3}), ints({0, 3, 0, 0}))));
  expect_in("mode 'wrap'", refusal("Pad", {{"mode", std::string("wrap")}},
                                   operands(iota({1, 3}), ints({0, 1, 0, 0}))));
  expect_in("expected 4", refusal("Pad", {}, operands(iota({1, 3}), ints({0, 1}))));
}

TEST(Dropout, PassesItsInputOn) {
  auto results = run_op("Dropout", {}, operands(iota({2})), 2);
  ASSERT_TRUE(results);
  EXPECT_EQ(values<float>((*results)[0]), (F{0, 1}));
  EXPECT_EQ(values<bool>((*results)[1]), (std::vector<bool>{true, true}));
  expect_in(
      "training mode",
      refusal("Dropout", {}, operands(iota({2}), scalar(0.5f), Tensor::of<bool>({}, {true}))));
}

}  // namespace
}  // namespace vultus::test
