#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "gpu/builder.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

/// Graphs made by hand: the device needs no shape inference.
class GraphMaker {
 public:
  ValueId input(const Shape& shape, DType dtype = DType::f32) {
    ValueId id = graph.add_value(fmt::format("x{}", graph.inputs.size()), dtype, shape);
    graph.inputs.push_back(id);
    return id;
  }
  ValueId node(const std::string& op, std::vector<ValueId> inputs, const Shape& shape,
               DType dtype = DType::f32) {
    auto id = static_cast<NodeId>(graph.nodes.size());
    ValueId out = graph.add_value(fmt::format("y{}", id), dtype, shape);
    graph.value(out).producer = id;
    Node made;
    made.op = op;
    made.name = fmt::format("node{}", id);
    made.inputs = std::move(inputs);
    made.outputs = {out};
    graph.nodes.push_back(std::move(made));
    return out;
  }
  PartitionSpec spec(Precision precision = Precision::fp32) const {
    PartitionSpec spec{
        .nodes = {}, .inputs = graph.inputs, .outputs = graph.outputs, .precision = precision};
    for (size_t n = 0; n < graph.nodes.size(); ++n)
      spec.nodes.push_back(static_cast<NodeId>(n));
    return spec;
  }
  Graph graph;
};

// An operator that only moves its input into the layout of its name, so that layouts can be walked.
void to_nhwc8(gpu::Builder& b, const Node& node) {
  b.alias(node.outputs[0], b.input(node.inputs[0], gpu::Layout::nhwc8));
}
void to_linear(gpu::Builder& b, const Node& node) {
  b.alias(node.outputs[0], b.input(node.inputs[0], gpu::Layout::linear));
}
const gpu::RegisterGpu kToNhwc8({"TestToNhwc8", nullptr, to_nhwc8});
const gpu::RegisterGpu kToLinear({"TestToLinear", nullptr, to_linear});

TEST(GpuLayouts, EveryShapeSurvivesTheWayThroughBothLayouts) {
  VULTUS_NEED_GPU(device);
  for (Precision precision : {Precision::fp32, Precision::fp16})
    for (int64_t c : {1, 3, 8, 9, 17})
      for (auto [n, h, w] : {std::array<int64_t, 3>{1, 1, 1}, {1, 5, 7}, {3, 3, 1}, {2, 1, 1}}) {
        Shape shape{n, c, h, w};
        SCOPED_TRACE(shape.str() + " " + std::string(name_of(precision)));
        GraphMaker m;
        ValueId v = m.input(shape);
        for (const char* op : {"TestToNhwc8", "TestToLinear", "TestToNhwc8", "TestToLinear"})
          v = m.node(op, {v}, shape);
        ValueId packed = m.node("TestToNhwc8", {v}, shape);
        m.graph.outputs = {v, packed, m.graph.inputs[0]};
        Tensor x = test::random_halves(shape, 5);
        auto out = test::run_on(device, m.graph, {&x}, precision);
        ASSERT_TRUE(out) << out.error().what;
        for (const Tensor& t : *out)
          EXPECT_TRUE(
              std::equal(x.as<float>().begin(), x.as<float>().end(), t.as<float>().begin()));
      }
}

TEST(GpuLayouts, BooleansAndPairsOfRankTwoSurviveToo) {
  VULTUS_NEED_GPU(device);
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    GraphMaker m;
    ValueId flags = m.input({2, 9, 3, 5}, DType::boolean);
    ValueId rows = m.input({5, 11});
    m.graph.outputs = {m.node("TestToNhwc8", {flags}, {2, 9, 3, 5}, DType::boolean),
                       m.node("TestToNhwc8", {rows}, {5, 11})};
    Tensor a = test::random_booleans({2, 9, 3, 5}, 1), b = test::random_halves({5, 11}, 2);
    auto out = test::run_on(device, m.graph, {&a, &b}, precision);
    ASSERT_TRUE(out) << out.error().what;
    EXPECT_TRUE(std::equal(a.as<bool>().begin(), a.as<bool>().end(), (*out)[0].as<bool>().begin()));
    EXPECT_TRUE(
        std::equal(b.as<float>().begin(), b.as<float>().end(), (*out)[1].as<float>().begin()));
  }
}

TEST(GpuLayouts, TheSameBytesAreNotMoved) {
  VULTUS_NEED_GPU(device);
  for (const Shape& shape : {Shape{3, 16, 1, 1}, Shape{3, 16}}) {
    GraphMaker m;
    ValueId v = m.input(shape);
    m.graph.outputs = {m.node("TestToLinear", {m.node("TestToNhwc8", {v}, shape)}, shape)};
    auto partition = device.compile(m.graph, m.spec());
    ASSERT_TRUE(partition) << partition.error().what;
    EXPECT_EQ((*partition)->stats().reorders, 0) << shape.str();
  }
}

TEST(GpuLayouts, AValueIsMovedOnceForAllItsReaders) {
  VULTUS_NEED_GPU(device);
  Shape shape{1, 3, 4, 4};
  GraphMaker m;
  ValueId v = m.input(shape);
  for (int i = 0; i < 3; ++i)
    m.graph.outputs.push_back(m.node("Relu", {m.node("TestToNhwc8", {v}, shape)}, shape));
  auto partition = device.compile(m.graph, m.spec());
  ASSERT_TRUE(partition) << partition.error().what;
  EXPECT_EQ((*partition)->stats().reorders, 1 + 3) << "one down to nhwc8, three results back";
}

TEST(GpuPartition, IntegersCrossTheBorderAs32Bits) {
  VULTUS_NEED_GPU(device);
  GraphMaker m;
  ValueId v = m.input({3}, DType::i64);
  m.graph.outputs = {m.node("Identity", {v}, {3}, DType::i64)};
  Tensor x = Tensor::of<int64_t>(
      {3}, {std::numeric_limits<int32_t>::min(), -1, std::numeric_limits<int32_t>::max()});
  auto out = test::run_on(device, m.graph, {&x});
  ASSERT_TRUE(out) << out.error().what;
  EXPECT_TRUE(
      std::equal(x.as<int64_t>().begin(), x.as<int64_t>().end(), (*out)[0].as<int64_t>().begin()));
  Tensor large = Tensor::of<int64_t>({3}, {0, int64_t{1} << 31, 0});
  out = test::run_on(device, m.graph, {&large});
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, Errc::bad_input);
  EXPECT_TRUE(test::contains(out.error().what, "'x0' holds 2147483648"));
}

TEST(GpuPartition, ArenaMemoryIsSharedWithoutMixingResults) {
  VULTUS_NEED_GPU(device);
  // Two long branches from one input, joined late, with every third value also an output.
  Shape shape{1, 19, 9, 7};
  GraphMaker m;
  ValueId input = m.input(shape), left = input, right = input;
  std::vector<int> negations;  // of each output: the sign it should have
  for (int i = 0; i < 12; ++i) {
    left = m.node("Neg", {left}, shape);
    right = m.node(i % 2 ? "TestToLinear" : "TestToNhwc8", {m.node("Neg", {right}, shape)}, shape);
    if (i % 3 == 2) {
      m.graph.outputs.push_back(left);
      m.graph.outputs.push_back(right);
      negations.insert(negations.end(), 2, i % 2 ? 1 : -1);
    }
  }
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    auto partition = device.compile(m.graph, m.spec(precision));
    ASSERT_TRUE(partition) << partition.error().what;
    PartitionStats stats = (*partition)->stats();
    EXPECT_LT(stats.arena_bytes, stats.unplanned_bytes);
    EXPECT_LT(stats.barriers, stats.dispatches) << "the branches do not wait for each other";
    Tensor x = test::random_halves(shape, 6);
    for (int run = 0; run < 3; ++run) {
      ASSERT_TRUE((*partition)->upload(input, x.view()));
      ASSERT_TRUE((*partition)->submit());
      ASSERT_TRUE((*partition)->wait());
      for (size_t k = 0; k < m.graph.outputs.size(); ++k) {
        Tensor out(DType::f32, shape);
        ASSERT_TRUE((*partition)->download(m.graph.outputs[k], out));
        for (size_t i = 0; i < x.as<float>().size(); ++i)
          ASSERT_EQ(out.as<float>()[i], static_cast<float>(negations[k]) * x.as<float>()[i]);
      }
    }
  }
}

TEST(GpuPartition, CountsWhatItMoves) {
  VULTUS_NEED_GPU(device);
  GraphMaker m;
  ValueId v = m.input({2, 8, 4, 4});
  m.graph.outputs = {m.node("Relu", {v}, {2, 8, 4, 4})};
  auto partition = device.compile(m.graph, m.spec(Precision::fp16));
  ASSERT_TRUE(partition) << partition.error().what;
  PartitionStats stats = (*partition)->stats();
  EXPECT_EQ(stats.upload_bytes, 2 * 8 * 16 * 4);
  EXPECT_EQ(stats.download_bytes, 2 * 8 * 16 * 4);
  EXPECT_EQ(stats.dispatches, 3) << "in, Relu, out";
  EXPECT_EQ(stats.reorders, 2);
  EXPECT_EQ(stats.barriers, 2);
  EXPECT_EQ(stats.weight_bytes, 0);
}

TEST(GpuPartition, ProfileTimesEveryNodeAndChangesNothing) {
  VULTUS_NEED_GPU(device);
  GraphMaker m;
  Shape shape{1, 16, 64, 64};
  ValueId v = m.input(shape);
  ValueId a = m.node("Relu", {v}, shape);
  m.graph.outputs = {m.node("Neg", {a}, shape)};
  auto partition = device.compile(m.graph, m.spec());
  ASSERT_TRUE(partition) << partition.error().what;
  Tensor x = test::random_tensor(shape, 1);
  ASSERT_TRUE((*partition)->upload(v, x.view()));
  for (int run = 0; run < 2; ++run) {
    auto times = (*partition)->profile();
    ASSERT_TRUE(times) << times.error().what;
    ASSERT_EQ(times->size(), 4u) << "upload, two dispatches, download";
    double end = 0;
    for (const StepTime& t : *times) {
      EXPECT_GE(t.ms, 0);
      EXPECT_NEAR(t.start_ms, end, 1e-9);
      EXPECT_GE(t.bytes, 16 * 64 * 64 * 4);
      end = t.start_ms + t.ms;
    }
    EXPECT_EQ((*times)[0].kernel, "upload");
    EXPECT_EQ((*times)[1].kernel, "unary");
    EXPECT_EQ((*times)[2].node, 1);
    EXPECT_EQ((*times)[3].kernel, "download");
    EXPECT_EQ(node_times(*times).size(), 2u);
  }
  ASSERT_TRUE((*partition)->submit());
  ASSERT_TRUE((*partition)->wait());
  Tensor out(DType::f32, shape);
  ASSERT_TRUE((*partition)->download(m.graph.outputs[0], out));
  for (size_t i = 0; i < x.as<float>().size(); ++i)
    ASSERT_EQ(out.as<float>()[i], -std::max(x.as<float>()[i], 0.0f));
}

TEST(GpuPartition, TwoThreadsShareADevice) {
  VULTUS_NEED_GPU(device);
  auto work = [&](uint32_t seed) {
    GraphMaker m;
    Shape shape{1, 9, 11, 5};
    ValueId v = m.input(shape);
    m.graph.outputs = {m.node(seed % 2 ? "Neg" : "Abs", {v}, shape)};
    for (int run = 0; run < 5; ++run) {
      Tensor x = test::random_halves(shape, seed + static_cast<uint32_t>(run));
      auto out = test::run_on(device, m.graph, {&x}, seed % 2 ? Precision::fp16 : Precision::fp32);
      ASSERT_TRUE(out) << out.error().what;
      for (size_t i = 0; i < x.as<float>().size(); ++i) {
        float e = x.as<float>()[i];
        ASSERT_EQ((*out)[0].as<float>()[i], seed % 2 ? -e : std::abs(e));
      }
    }
  };
  std::thread other(work, 1u);
  work(2);
  other.join();
}

TEST(GpuPartition, ADataOfAnotherShapeOrTypeIsRefused) {
  VULTUS_NEED_GPU(device);
  GraphMaker m;
  ValueId v = m.input({2, 3});
  m.graph.outputs = {m.node("Relu", {v}, {2, 3})};
  auto partition = device.compile(m.graph, m.spec());
  ASSERT_TRUE(partition) << partition.error().what;
  Tensor shape(DType::f32, {3, 2}), type(DType::i32, {2, 3}), out(DType::f32, {2, 3});
  auto refused = (*partition)->upload(v, shape.view());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(test::contains(refused.error().what, "shape 3x2, the network takes"));
  EXPECT_FALSE((*partition)->upload(v, type.view()));
  EXPECT_FALSE((*partition)->upload(m.graph.outputs[0], out.view()));
  EXPECT_FALSE((*partition)->download(v, out));
}

TEST(GpuPartition, EmptyTensorsNeedNoWork) {
  VULTUS_NEED_GPU(device);
  GraphMaker m;
  ValueId v = m.input({0, 3, 4, 4});
  m.graph.outputs = {m.node("Relu", {v}, {0, 3, 4, 4})};
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    Tensor x(DType::f32, {0, 3, 4, 4});
    auto out = test::run_on(device, m.graph, {&x}, precision);
    ASSERT_TRUE(out) << out.error().what;
    EXPECT_EQ((*out)[0].shape(), (Shape{0, 3, 4, 4}));
  }
}

TEST(GpuPartition, RowsThatWereNotFilledAreCutOff) {
  VULTUS_NEED_GPU(device);
  GraphMaker m;
  ValueId v = m.input({4, 3}, DType::i64);
  m.graph.outputs = {m.node("Identity", {v}, {4, 3}, DType::i64)};
  m.graph.value(m.graph.outputs[0]).dynamic_rows = true;
  auto rows_of = [&](std::initializer_list<int64_t> values) {
    Tensor x = Tensor::of<int64_t>({4, 3}, values);
    auto out = test::run_on(device, m.graph, {&x});
    return out ? (*out)[0].shape()[0] : -1;
  };
  EXPECT_EQ(rows_of({0, 1, 2, 3, 4, 5, -1, -1, -1, -1, -1, -1}), 2);
  EXPECT_EQ(rows_of({-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}), 0);
  EXPECT_EQ(rows_of({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9}), 4);
}

}  // namespace
}  // namespace vultus
