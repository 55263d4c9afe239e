#include "host/run/device.hpp"

#include <cstring>

#include "host/cpu/threads.hpp"
#include "tests/cpu/net.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

using test::random_tensor;

TEST(CpuDevice, TellsItsNameAndItsDriver) {
  auto device = open_cpu(2);
  ASSERT_TRUE(device);
  EXPECT_EQ((*device)->info().kind, DeviceKind::cpu);
  EXPECT_FALSE((*device)->info().name.empty());
  EXPECT_TRUE((*device)->info().driver.starts_with("oneDNN 2.")) << (*device)->info().driver;
  EXPECT_NE((*device)->info().driver.find("2 threads"), std::string::npos)
      << (*device)->info().driver;
}

TEST(CpuDevice, ANegativeNumberOfThreadsIsRefused) {
  auto device = open_cpu(-1);
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().code, Errc::usage);
}

TEST(CpuDevice, AnUnknownOperatorIsNotSupported) {
  auto device = open_cpu(1);
  Graph graph;
  Node node;
  node.name = "odd";
  node.op = "NoSuchOperator";
  Support support = (*device)->supports(graph, node, Precision::fp32);
  EXPECT_FALSE(support.ok);
  EXPECT_NE(support.reason.find("NoSuchOperator 'odd'"), std::string::npos) << support.reason;
}

class OneRelu : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<test::Operand> operands;
    operands.push_back({random_tensor({2, 3}, 1)});
    auto graph = test::single_node("Relu", {}, operands);
    ASSERT_TRUE(graph);
    graph_ = std::move(*graph);
    spec_ = {.nodes = {0}, .inputs = graph_.inputs, .outputs = graph_.outputs};
    device_ = std::move(*open_cpu(2));
  }
  Graph graph_;
  PartitionSpec spec_;
  std::unique_ptr<Device> device_;
};

TEST(CpuMemoryMap, BlocksThatLiveTogetherDoNotOverlapAndFillTheArena) {
  test::Net net;
  ValueId x = net.input({1, 8, 16, 16}, 1);
  for (uint32_t i = 0; i < 4; ++i)
    x = net.conv(x, 8 + 8 * (i % 2), 3, i);
  net.graph.outputs = {x};
  PartitionSpec spec{.nodes = {}, .inputs = net.graph.inputs, .outputs = net.graph.outputs};
  for (size_t n = 0; n < net.graph.nodes.size(); ++n)
    spec.nodes.push_back(static_cast<NodeId>(n));
  auto device = open_cpu(1);
  auto partition = (*device)->compile(net.graph, spec);
  ASSERT_TRUE(partition) << partition.error().what;
  const auto map = (*partition)->memory_map();
  int64_t end = 0, sum = 0;
  for (size_t i = 0; i < map.size(); ++i) {
    EXPECT_FALSE(map[i].name.empty());
    EXPECT_LE(map[i].first, map[i].last);
    end = std::max(end, map[i].offset + map[i].bytes);
    sum += map[i].bytes;
    for (size_t j = 0; j < i; ++j)
      EXPECT_TRUE(map[i].last < map[j].first || map[j].last < map[i].first ||
                  map[j].offset + map[j].bytes <= map[i].offset)
          << map[i].name << " and " << map[j].name;
  }
  const PartitionStats stats = (*partition)->stats();
  EXPECT_EQ(sum, stats.unplanned_bytes);
  EXPECT_EQ((end + 63) / 64 * 64, stats.arena_bytes);
  auto holds = [&](ValueId v) {
    return std::ranges::any_of(map, [&](const MemoryBlock& b) {
      return b.name.find(net.graph.value(v).name) != std::string::npos;
    });
  };
  EXPECT_TRUE(holds(net.graph.inputs[0]));
  EXPECT_TRUE(holds(x));
}

TEST_F(OneRelu, InputsOfAnotherShapeAreRefusedByName) {
  auto partition = device_->compile(graph_, spec_);
  ASSERT_TRUE(partition);
  Tensor wrong = random_tensor({3, 2}, 1);
  auto uploaded = (*partition)->upload(graph_.inputs[0], wrong.view());
  ASSERT_FALSE(uploaded);
  EXPECT_NE(uploaded.error().what.find("in0"), std::string::npos) << uploaded.error().what;
  EXPECT_NE(uploaded.error().what.find("2x3"), std::string::npos) << uploaded.error().what;
}

TEST_F(OneRelu, TheInputStaysForTheNextRun) {
  auto partition = device_->compile(graph_, spec_);
  ASSERT_TRUE(partition);
  Tensor input = Tensor::of<float>({2, 3}, {-1, 2, -3, 4, -5, 6});
  ASSERT_TRUE((*partition)->upload(graph_.inputs[0], input.view()));
  for (int run = 0; run < 3; ++run) {
    ASSERT_TRUE((*partition)->submit());
    ASSERT_TRUE((*partition)->wait());
    Tensor out;
    ASSERT_TRUE((*partition)->download(graph_.outputs[0], out));
    auto values = out.as<float>();
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()),
              (std::vector<float>{0, 2, 0, 4, 0, 6}));
  }
}

TEST_F(OneRelu, EveryNodeThatRunsIsTimed) {
  auto partition = device_->compile(graph_, spec_);
  ASSERT_TRUE(partition);
  auto times = (*partition)->profile();
  ASSERT_TRUE(times);
  ASSERT_EQ(times->size(), 1u);
  EXPECT_EQ(times->front().node, 0);
  EXPECT_GE(times->front().ms, 0);
  EXPECT_EQ(times->front().bytes, 2 * 6 * 4);
  EXPECT_FALSE(times->front().kernel.empty());
  EXPECT_EQ((*partition)->stats().dispatches, 1);
}

TEST(CpuThreads, TheQuotaOfCpuMaxIsRoundedUp) {
  EXPECT_EQ(cpu::quota_of_cpu_max("200000 100000\n"), 2);
  EXPECT_EQ(cpu::quota_of_cpu_max("150000 100000\n"), 2);
  EXPECT_EQ(cpu::quota_of_cpu_max("10000 100000\n"), 1);
}

TEST(CpuThreads, NoQuotaOrNonsenseIsNoLimit) {
  EXPECT_EQ(cpu::quota_of_cpu_max("max 100000\n"), 0);
  EXPECT_EQ(cpu::quota_of_cpu_max(""), 0);
  EXPECT_EQ(cpu::quota_of_cpu_max("-5 0"), 0);
}

TEST(CpuThreads, AtLeastOneThreadIsAvailable) {
  EXPECT_GE(cpu::available_threads(), 1);
}

}  // namespace
}  // namespace vultus
