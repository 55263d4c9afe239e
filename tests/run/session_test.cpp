#include "host/run/session.hpp"

#include <set>

#include "host/ops/op.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

/// A third device behind the seam: runs a few operators through their plain kernels and counts what
/// crosses.
class FakeDevice : public Device {
 public:
  FakeDevice(DeviceKind kind, std::set<std::string> ops) : ops_(std::move(ops)) {
    info_.kind = kind;
    info_.name = "fake";
  }
  const DeviceInfo& info() const override { return info_; }
  Support supports(const Graph&, const Node& node, Precision) const override {
    return ops_.contains(node.op) ? Support::yes()
                                  : Support::no(node.op + ": the fake has no kernel");
  }
  Result<std::unique_ptr<Partition>> compile(const Graph& graph,
                                             const PartitionSpec& spec) override;

 private:
  DeviceInfo info_;
  std::set<std::string> ops_;
};

class FakePartition : public Partition {
 public:
  FakePartition(const Graph& graph, PartitionSpec spec) : graph_(graph), spec_(std::move(spec)) {}
  Result<void> upload(ValueId input, const TensorView& data) override {
    Tensor copy(data.dtype, data.shape);
    std::copy(data.bytes, data.bytes + data.size_bytes(), copy.bytes());
    tensors_.insert_or_assign(input, std::move(copy));
    return {};
  }
  Result<void> submit() override {
    for (NodeId n : spec_.nodes) {
      const Node& node = graph_.node(n);
      Eval eval{node, {}, {}};
      for (ValueId v : node.inputs)
        eval.in.push_back(graph_.value(v).constant ? graph_.value(v).constant->view()
                                                   : tensors_.at(v).view());
      ValueId out = node.outputs[0];
      tensors_.insert_or_assign(out, Tensor(graph_.value(out).dtype, graph_.shape(out)));
      eval.out.push_back(tensors_.at(out).view());
      VULTUS_CHECK(evaluate(*find_op(node.op), eval));
    }
    return {};
  }
  Result<void> wait() override { return {}; }
  Result<void> download(ValueId output, Tensor& out) override {
    out = tensors_.at(output).clone();
    return {};
  }
  PartitionStats stats() const override {
    PartitionStats s;
    s.dispatches = static_cast<int64_t>(spec_.nodes.size());
    s.upload_bytes = s.download_bytes = 4;
    return s;
  }
  Result<std::vector<StepTime>> profile() override {
    return std::vector<StepTime>{{spec_.nodes[0], "fake", 1, 2, 3}};
  }

 private:
  const Graph& graph_;
  PartitionSpec spec_;
  std::map<ValueId, Tensor> tensors_;
};

Result<std::unique_ptr<Partition>> FakeDevice::compile(const Graph& graph,
                                                       const PartitionSpec& spec) {
  return std::unique_ptr<Partition>(new FakePartition(graph, spec));
}

/// x -> Relu -> Abs -> Neg and x -> Neg -> Abs; the outputs are both ends.
Graph two_branches() {
  Graph graph;
  ValueId x = graph.add_value("x", DType::f32, {4});
  graph.inputs = {x};
  auto unary = [&](const char* op, ValueId in, const char* out) {
    ValueId v = graph.add_value(out, DType::f32, {4});
    graph.value(v).producer = static_cast<NodeId>(graph.nodes.size());
    graph.nodes.push_back({out, op, 18, {}, {in}, {v}});
    return v;
  };
  ValueId a = unary("Relu", x, "a");
  ValueId b = unary("Abs", a, "b");
  ValueId c = unary("Neg", b, "c");
  ValueId d = unary("Neg", x, "d");
  ValueId e = unary("Abs", d, "e");
  graph.outputs = {c, e};
  return graph;
}

TEST(Plan, ADeviceKeepsWorkingAsLongAsAnythingIsReadyForIt) {
  FakeDevice gpu(DeviceKind::gpu, {"Relu", "Neg"}), cpu(DeviceKind::cpu, {"Abs"});
  Graph graph = two_branches();
  auto plan = make_plan(graph, {&gpu, &cpu}, {Precision::fp32});
  ASSERT_TRUE(plan) << plan.error().what;
  // Relu and the second Neg, then both Abs, then the first Neg: the file's order would need four.
  ASSERT_EQ(plan->partitions.size(), 3u);
  EXPECT_EQ(plan->partitions[0].spec.nodes, (std::vector<NodeId>{0, 3}));
  EXPECT_EQ(plan->partitions[1].spec.nodes, (std::vector<NodeId>{1, 4}));
  EXPECT_EQ(plan->partitions[2].spec.nodes, (std::vector<NodeId>{2}));
  EXPECT_DOUBLE_EQ(plan->coverage_ops(graph, DeviceKind::gpu), 0.6);
  EXPECT_EQ(plan->reasons[1], "Abs: the fake has no kernel");
  // x up, a and d down; b up, c down.
  EXPECT_EQ(plan->transfers, 5);
  EXPECT_EQ(plan->transfer_bytes, 5 * 16);
}

TEST(Plan, ANodeThatNoDeviceRunsIsNamedWithEveryReason) {
  FakeDevice gpu(DeviceKind::gpu, {"Relu"}), cpu(DeviceKind::cpu, {"Abs"});
  auto plan = make_plan(two_branches(), {&gpu, &cpu}, {Precision::fp32});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::bad_model);
  EXPECT_NE(plan.error().what.find("Neg 'c'"), std::string::npos) << plan.error().what;
  EXPECT_NE(plan.error().what.find("the fake has no kernel"), std::string::npos)
      << plan.error().what;
}

TEST(Session, PartitionsOnTwoDevicesGiveWhatOneGives) {
  FakeDevice gpu(DeviceKind::gpu, {"Relu", "Neg"}), cpu(DeviceKind::cpu, {"Abs"});
  auto session = Session::from_graph(
      two_branches(), {.devices = {&gpu, &cpu}, .precision = Precision::fp32, .shapes = {}});
  ASSERT_TRUE(session) << session.error().what;
  Tensor x = Tensor::of<float>({4}, {-2, -1, 3, 4});
  ASSERT_TRUE(session->set_input("x", x.view()));
  ASSERT_TRUE(session->run());
  auto c = session->output(0).as<float>(), e = session->output(1).as<float>();
  EXPECT_EQ(std::vector<float>(c.begin(), c.end()), (std::vector<float>{0, 0, -3, -4}));
  EXPECT_EQ(std::vector<float>(e.begin(), e.end()), (std::vector<float>{2, 1, 3, 4}));
  EXPECT_EQ(session->stats().dispatches, 5);
}

TEST(Session, SlotsKeepTheirInputsAndOutputsApart) {
  FakeDevice gpu(DeviceKind::gpu, {"Relu", "Neg"}), cpu(DeviceKind::cpu, {"Relu", "Neg", "Abs"});
  for (const std::vector<Device*>& devices :
       {std::vector<Device*>{&cpu}, std::vector<Device*>{&gpu, &cpu}}) {
    SessionOptions options;
    options.devices = devices;
    options.in_flight = 3;
    auto session = Session::from_graph(two_branches(), options);
    ASSERT_TRUE(session) << session.error().what;
    ASSERT_EQ(session->slots(), 3u);
    for (size_t slot = 0; slot < 3; ++slot) {
      auto early = session->submit(slot);
      ASSERT_FALSE(early) << "inputs of other slots do not count";
      Tensor x = Tensor::of<float>({4}, {1, 2, 3, static_cast<float>(slot)});
      ASSERT_TRUE(session->set_input("x", x.view(), slot));
      ASSERT_TRUE(session->submit(slot));
    }
    for (size_t slot = 0; slot < 3; ++slot) {
      ASSERT_TRUE(session->wait(slot));
      EXPECT_EQ(session->output(1, slot).as<float>()[3], static_cast<float>(slot));
    }
    EXPECT_FALSE(session->submit(3));
    EXPECT_FALSE(session->output("c", 3));
  }
}

TEST(Session, TheProfileOfPartitionsIsOneAfterTheOther) {
  FakeDevice gpu(DeviceKind::gpu, {"Relu", "Neg"}), cpu(DeviceKind::cpu, {"Abs"});
  SessionOptions options;
  options.devices = {&gpu, &cpu};
  auto session = Session::from_graph(two_branches(), options);
  ASSERT_TRUE(session) << session.error().what;
  auto steps = session->profile();
  ASSERT_TRUE(steps);
  ASSERT_EQ(steps->size(), 3u);
  for (size_t p = 0; p < 3; ++p) {
    EXPECT_EQ((*steps)[p].partition, p);
    EXPECT_EQ((*steps)[p].start_ms, 1 + 3 * static_cast<double>(p));
  }
  EXPECT_EQ(node_times(*steps).size(), 3u);
}

TEST(Session, WhatIsMissingOrDoesNotFitIsSaid) {
  FakeDevice cpu(DeviceKind::cpu, {"Relu", "Neg", "Abs"});
  auto session = Session::from_graph(
      two_branches(), {.devices = {&cpu}, .precision = Precision::fp32, .shapes = {}});
  ASSERT_TRUE(session);
  auto unset = session->run();
  ASSERT_FALSE(unset);
  EXPECT_EQ(unset.error().what, "input 'x' was never set");
  Tensor wrong(DType::f32, {5});
  auto shape = session->set_input("x", wrong.view());
  ASSERT_FALSE(shape);
  EXPECT_EQ(shape.error().what, "input 'x' takes float32 4, but was given float32 5");
  auto name = session->set_input("y", wrong.view());
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().what, "the network has no input 'y'; it has: x");
  EXPECT_FALSE(session->output("y"));
}

TEST(Session, WithoutDevicesNothingIsPlanned) {
  auto session = Session::from_graph(two_branches(), {});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, Errc::no_device);
}

}  // namespace
}  // namespace vultus
