#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "host/cpu/conv_timings.hpp"
#include "tests/cpu/net.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;
using cpu::ConvForm;
using cpu::ConvForms;
using test::Net;
using test::with;

/// Two convolutions for Winograd in a network that prefers blocked layouts, and one of one pixel.
Net winograd_net() {
  Net net;
  ValueId x = net.conv(net.blocked(32, 12, 12, 1), 32, 3, 20, with({}, {Activation::relu}));
  net.output(net.conv(net.conv(x, 32, 3, 30, with({}, {Activation::silu})), 16, 1, 40));
  return net;
}

/// What has forms of ours: an image of three channels, then a 1x1 convolution and a depthwise one.
Net separable_net() {
  Net net;
  ValueId x = net.conv(net.input({1, 3, 16, 16}, 1), 32, 3, 2, with({}, {Activation::silu}));
  x = net.conv(x, 48, 1, 10, with({}, {Activation::silu}));
  net.output(net.node(
      "Conv", {x, net.random({48, 1, 3, 3}, 20), net.random({48}, 21)},
      with({{"group", int64_t{48}}, {"pads", test::Ints{1, 1, 1, 1}}}, {Activation::silu})));
  return net;
}

class CpuTune : public testing::Test {
 protected:
  void SetUp() override {
    // Elsewhere oneDNN has one kernel for each of these convolutions.
    if (open_cpu(1).value()->info().driver.find("avx512") == std::string::npos)
      GTEST_SKIP() << "needs AVX-512";
  }

  /// A partition on a device that has seen nothing but the folder.
  struct Compiled {
    std::unique_ptr<Device> device;
    std::unique_ptr<Partition> partition;
  };
  Compiled compile(const Net& net, Tuning tuning) const {
    Compiled c{open_cpu(2, folder).value(), nullptr};
    PartitionSpec spec = net.spec();
    spec.tuning = tuning;
    c.partition = c.device->compile(net.graph, spec).value();
    for (size_t i = 0; i < net.inputs.size(); ++i)
      EXPECT_TRUE(c.partition->upload(net.graph.inputs[i], net.inputs[i].view()));
    return c;
  }
  static std::vector<std::string> kernels(const Compiled& c) {
    std::vector<std::string> names;
    const std::vector<StepTime> steps = c.partition->profile().value();
    for (const StepTime& step : steps)
      names.push_back(step.kernel);
    return names;
  }
  static Tensor result(const Net& net, const Compiled& c) {
    EXPECT_TRUE(c.partition->submit());
    EXPECT_TRUE(c.partition->wait());
    Tensor out;
    EXPECT_TRUE(c.partition->download(net.graph.outputs[0], out));
    return out;
  }
  std::string device_key() const {
    const DeviceInfo info = open_cpu(2, folder).value()->info();
    return info.name + "|" + info.driver;
  }
  /// The only file in the folder.
  fs::path file() const {
    EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
    return fs::directory_iterator(folder)->path();
  }
  ConvForms kept() const {
    std::ifstream stream(file(), std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    return cpu::unseal_forms(device_key(), std::as_bytes(std::span(bytes)));
  }
  void keep(const ConvForms& forms) const { cpu::ConvTimings(folder, device_key()).keep(forms); }
  const test::TemporaryFolder temporary;
  const std::string folder = temporary.path();
};

TEST_F(CpuTune, RulesNeitherReadNorWrite) {
  const Net net = winograd_net();
  const auto by_rule = kernels(compile(net, Tuning::rules));
  EXPECT_TRUE(fs::is_empty(folder));
  compile(net, Tuning::measure);
  ConvForms forms = kept();
  for (auto& [key, form] : forms)
    form = ConvForm::any;
  keep(forms);
  EXPECT_NE(kernels(compile(net, Tuning::cached)), by_rule);
  EXPECT_EQ(kernels(compile(net, Tuning::rules)), by_rule);
  EXPECT_EQ(compile(net, Tuning::rules).partition->stats().choices, 0);
}

TEST_F(CpuTune, NothingKeptIsTheRules) {
  const Net net = winograd_net();
  EXPECT_EQ(kernels(compile(net, Tuning::cached)), kernels(compile(net, Tuning::rules)));
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(CpuTune, WhatWasTimedIsUsedByAnotherDevice) {
  for (auto make : {winograd_net, separable_net}) {
    const Net net = make();
    const Compiled measured = compile(net, Tuning::measure);
    const PartitionStats stats = measured.partition->stats();
    EXPECT_GT(stats.choices, 0);
    EXPECT_EQ(stats.timed_choices, stats.choices);
    const auto written = fs::last_write_time(file());
    const Compiled again = compile(net, Tuning::cached);
    EXPECT_EQ(kernels(again), kernels(measured));
    EXPECT_EQ(again.partition->stats().timed_choices, stats.choices);
    compile(net, Tuning::measure);
    EXPECT_EQ(fs::last_write_time(file()), written) << "nothing is timed twice";
  }
}

TEST_F(CpuTune, EveryKeptFormIsUsedAndGivesTheSameResults) {
  for (auto make : {winograd_net, separable_net}) {
    const Net net = make();
    const Compiled by_rule = compile(net, Tuning::rules);
    const Tensor expected = result(net, by_rule);
    compile(net, Tuning::measure);
    std::set<std::vector<std::string>> ways;
    for (ConvForm form : {ConvForm::any, ConvForm::blocked, ConvForm::winograd, ConvForm::separable,
                          ConvForm::stem}) {
      ConvForms forms = kept();
      for (auto& [key, kept_form] : forms)
        kept_form = form;
      keep(forms);
      const Compiled c = compile(net, Tuning::cached);
      ways.insert(kernels(c));
      EXPECT_LE(test::relative_l2(result(net, c).as<float>(), expected.as<float>()), 1e-5)
          << static_cast<int>(form);
    }
    EXPECT_GE(ways.size(), 2u) << "several forms, several kernels";
  }
}

TEST_F(CpuTune, AnotherFormIsCountedAsChanged) {
  const Net net = winograd_net();
  compile(net, Tuning::measure);
  ConvForms forms = kept();
  for (auto& [key, form] : forms)
    form = ConvForm::any;
  keep(forms);
  const PartitionStats stats = compile(net, Tuning::cached).partition->stats();
  EXPECT_EQ(stats.timed_choices, stats.choices);
  EXPECT_EQ(stats.changed_choices, stats.choices);
}

TEST_F(CpuTune, ADamagedOrForeignFileCountsAsAbsent) {
  const Net net = winograd_net();
  const auto by_rule = kernels(compile(net, Tuning::rules));
  compile(net, Tuning::measure);
  ConvForms forms = kept();
  for (auto& [key, form] : forms)
    form = ConvForm::any;
  keep(forms);
  ASSERT_NE(kernels(compile(net, Tuning::cached)), by_rule);
  const auto sealed = cpu::seal_forms(device_key(), forms);
  EXPECT_TRUE(cpu::unseal_forms("another device", sealed).empty());
  for (size_t length = 0; length < sealed.size(); ++length)
    EXPECT_TRUE(cpu::unseal_forms(device_key(), std::span(sealed).first(length)).empty());
  fs::resize_file(file(), fs::file_size(file()) - 1);
  EXPECT_EQ(kernels(compile(net, Tuning::cached)), by_rule);
}

TEST_F(CpuTune, FormsThatDoNotExistOrFitAreNotUsed) {
  const Net net = winograd_net();
  const auto by_rule = kernels(compile(net, Tuning::rules));
  compile(net, Tuning::measure);
  ConvForms forms = kept();
  for (auto& [key, form] : forms)
    form = ConvForm::separable;  // no depthwise convolution here
  keep(forms);
  EXPECT_EQ(kernels(compile(net, Tuning::cached)), by_rule);
  for (auto& [key, form] : forms)
    form = static_cast<ConvForm>(7);
  EXPECT_TRUE(cpu::unseal_forms("cpu", cpu::seal_forms("cpu", forms)).empty());
}

TEST_F(CpuTune, WhatOthersWroteMeanwhileIsKept) {
  cpu::ConvTimings first(folder, "cpu"), second(folder, "cpu");
  EXPECT_TRUE(first.empty() && second.empty());
  first.keep({{"a", ConvForm::winograd}});
  second.keep({{"b", ConvForm::blocked}});
  cpu::ConvTimings third(folder, "cpu");
  EXPECT_EQ(third.find("a"), ConvForm::winograd);
  EXPECT_EQ(third.find("b"), ConvForm::blocked);
  EXPECT_FALSE(third.find("c"));
}

}  // namespace
}  // namespace vultus
