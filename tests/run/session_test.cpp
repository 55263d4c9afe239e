#include "host/run/session.hpp"

#include "tests/support/fake_device.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

using test::FakeDevice;
using test::two_branches;

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
  const std::vector<size_t> partitions = {0, 0, 1, 1, 2};
  ASSERT_EQ(steps->size(), partitions.size());
  for (size_t i = 0; i < steps->size(); ++i) {
    EXPECT_EQ((*steps)[i].partition, partitions[i]);
    EXPECT_EQ((*steps)[i].start_ms, 1 + 3 * static_cast<double>(partitions[i]));
  }
  EXPECT_EQ(node_times(*steps).size(), 5u);
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
