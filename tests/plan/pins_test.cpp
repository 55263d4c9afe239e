#include "host/plan/pins.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_device.hpp"

namespace vultus {
namespace {

using test::two_branches;

TEST(Pins, NameANodeOrAllOfAnOperator) {
  auto wanted = resolve_pins(two_branches(), {{"a", DeviceKind::cpu}, {"op:Neg", DeviceKind::gpu}});
  ASSERT_TRUE(wanted) << wanted.error().what;
  using Wanted = std::optional<DeviceKind>;
  EXPECT_EQ(*wanted,
            (std::vector<Wanted>{DeviceKind::cpu, {}, DeviceKind::gpu, DeviceKind::gpu, {}}));
}

TEST(Pins, AnUnknownNodeBringsTheNearestNames) {
  Graph graph = two_branches();
  graph.node(1).name = "stage1/conv";
  auto wanted = resolve_pins(graph, {{"stage1/cnov", DeviceKind::cpu}});
  ASSERT_FALSE(wanted);
  EXPECT_EQ(wanted.error().code, Errc::usage);
  EXPECT_NE(wanted.error().what.find("the nearest are stage1/conv, "), std::string::npos)
      << wanted.error().what;
  wanted = resolve_pins(graph, {{"op:Bas", DeviceKind::cpu}});
  ASSERT_FALSE(wanted);
  EXPECT_NE(wanted.error().what.find("no such operator"), std::string::npos);
  EXPECT_NE(wanted.error().what.find("Abs"), std::string::npos) << wanted.error().what;
}

TEST(Pins, ANodeCannotBeOnBothDevices) {
  auto wanted = resolve_pins(two_branches(), {{"op:Abs", DeviceKind::gpu}, {"b", DeviceKind::cpu}});
  ASSERT_FALSE(wanted);
  EXPECT_EQ(wanted.error().code, Errc::usage);
  EXPECT_NE(wanted.error().what.find("'b'"), std::string::npos) << wanted.error().what;
}

TEST(Pins, TextIsChecked) {
  auto pin = parse_pin("a=b/c=gpu");
  ASSERT_TRUE(pin);
  EXPECT_EQ(pin->node, "a=b/c");
  EXPECT_EQ(pin->device, DeviceKind::gpu);
  for (const char* text : {"", "a", "=cpu", "a=", "a=npu", "a=CPU"})
    EXPECT_FALSE(parse_pin(text)) << text;
}

}  // namespace
}  // namespace vultus
