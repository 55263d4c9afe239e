#include <gtest/gtest.h>

#include <random>

#include "host/graph/passes/passes.hpp"
#include "host/onnx/import.hpp"
#include "tests/support/batches.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {
namespace {

/// Pins a random part of the nodes to the CPU, in stretches, so that there are partitions on both.
std::vector<Pin> random_pins(const Graph& graph, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Pin> pins;
  bool cpu = false;
  for (const Node& node : graph.nodes) {
    if (random() % 6 == 0) cpu = !cpu;
    if (cpu) pins.push_back({node.name, DeviceKind::cpu});
  }
  return pins;
}

struct Case {
  const char* model;
  std::map<std::string, Shape> shapes;
};

class Hybrid : public testing::TestWithParam<Case> {};

TEST_P(Hybrid, AnySplitGivesWhatOneDeviceGives) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(path, std::string("models/") + GetParam().model + ".onnx");
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  auto imported = import_onnx(path, GetParam().shapes);
  ASSERT_TRUE(imported) << imported.error().what;
  ASSERT_TRUE(optimise(*imported));
  SessionOptions options;
  options.devices = {cpu->get()};
  auto alone = Session::from_graph(*imported, options);
  ASSERT_TRUE(alone) << alone.error().what;
  const std::string input = alone->input_names()[0];
  const Tensor picture = wave_picture((*alone->describe(input))->shape, 0);
  ASSERT_TRUE(alone->set_input(input, picture.view()));
  ASSERT_TRUE(alone->run());
  options.devices = {&gpu, cpu->get()};
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    options.pins = random_pins(*imported, seed);
    auto session = Session::from_graph(*imported, options);
    ASSERT_TRUE(session) << session.error().what;
    EXPECT_GT(session->plan().partitions.size(), 3u);
    EXPECT_GT(session->plan().coverage_ops(session->graph(), DeviceKind::gpu), 0);
    ASSERT_TRUE(session->set_input(input, picture.view()));
    for (int run = 0; run < 2; ++run) {
      auto ran = session->run();
      ASSERT_TRUE(ran) << ran.error().what;
    }
    for (size_t i = 0; i < alone->output_names().size(); ++i)
      EXPECT_LE(relative_l2(session->output(i).as<float>(), alone->output(i).as<float>()), 1e-5)
          << alone->output_names()[i];
  }
}

/// What only the GPU's partitions read is neither read back nor sent up again.
TEST(Handover, SkipsTheHost) {
  VULTUS_NEED_GPU(gpu);
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  // x -> Relu a -> (Abs b, on the CPU) -> Add(a, b) c, all of 8 channels.
  Graph graph;
  auto value = [&](const char* name) { return graph.add_value(name, DType::f32, {1, 8, 6, 5}); };
  const ValueId x = value("x"), a = value("a"), b = value("b"), c = value("c");
  auto add = [&](const char* op, std::vector<ValueId> inputs, ValueId out) {
    graph.value(out).producer = static_cast<NodeId>(graph.nodes.size());
    graph.nodes.push_back({graph.value(out).name, op, 18, {}, std::move(inputs), {out}});
  };
  graph.inputs = {x};
  add("Relu", {x}, a);
  add("Abs", {a}, b);
  add("Add", {a, b}, c);
  graph.outputs = {c};
  const Tensor picture = wave_picture({1, 8, 6, 5}, 0);
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    SessionOptions options{.devices = {&gpu, cpu->get()}, .precision = precision};
    options.pins = {{"b", DeviceKind::cpu}};
    auto session = Session::from_graph(graph, options);
    ASSERT_TRUE(session) << session.error().what;
    const auto& partitions = session->plan().partitions;
    ASSERT_EQ(partitions.size(), 3u);
    EXPECT_EQ(partitions[0].spec.exports, std::vector<ValueId>{a});
    EXPECT_EQ(partitions[2].spec.inputs, std::vector<ValueId>{b});
    ASSERT_EQ(partitions[2].spec.imports.size(), 1u);
    EXPECT_EQ(partitions[2].spec.imports[0].value, a);
    EXPECT_EQ(session->plan().transfers, 4) << "x and b up, a and c down";
    for (float sign : {1.0f, -1.0f}) {  // the second run must not see the first one's
      Tensor given = picture.clone();
      for (float& v : given.as<float>())
        v *= sign;
      ASSERT_TRUE(session->set_input("x", given.view()));
      ASSERT_TRUE(session->run());
      auto in = given.as<float>();
      auto out = session->output(0).as<float>();
      for (size_t i = 0; i < in.size(); ++i)
        ASSERT_NEAR(out[i], 2 * std::max(in[i], 0.0f), 2e-3 * (1 + std::abs(in[i]))) << i;
    }
  }
}

/// A partition on the GPU alone, which has run on what the partitions before have left.
Result<std::unique_ptr<Partition>> ran(Device& gpu, const Graph& graph, const PartitionSpec& spec,
                                       const Tensor* input = nullptr) {
  VULTUS_TRY(auto partition, gpu.compile(graph, spec));
  if (input) VULTUS_CHECK(partition->upload(spec.inputs[0], input->view()));
  VULTUS_CHECK(partition->submit());
  VULTUS_CHECK(partition->wait());
  return partition;
}

TEST(Handover, AnotherNameOfWhatWasImportedIsReadBackAndHandedOn) {
  VULTUS_NEED_GPU(gpu);
  // x -> Relu a | Reshape(a) b, the same bytes | Neg(b) c; a partition each.
  Graph graph;
  auto value = [&](const char* name, const Shape& shape) {
    return graph.add_value(name, DType::f32, shape);
  };
  const ValueId x = value("x", {2, 3, 5}), a = value("a", {2, 3, 5});
  const ValueId b = value("b", {6, 5}), c = value("c", {6, 5});
  graph.nodes = {{"a", "Relu", 18, {}, {x}, {a}},
                 {"b", "Reshape", 18, {}, {a}, {b}},
                 {"c", "Neg", 18, {}, {b}, {c}}};
  const Tensor given = random_tensor({2, 3, 5}, 1);
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    PartitionSpec spec{.nodes = {0}, .inputs = {x}, .outputs = {}, .precision = precision};
    spec.exports = {a};
    auto first = ran(gpu, graph, spec, &given);
    ASSERT_TRUE(first) << first.error().what;
    spec = {.nodes = {1}, .inputs = {}, .outputs = {b}, .precision = precision};
    spec.imports = {{a, first->get()}};
    spec.exports = {b};
    auto second = ran(gpu, graph, spec);
    ASSERT_TRUE(second) << second.error().what;
    spec = {.nodes = {2}, .inputs = {}, .outputs = {c}, .precision = precision};
    spec.imports = {{b, second->get()}};
    auto third = ran(gpu, graph, spec);
    ASSERT_TRUE(third) << third.error().what;
    Tensor same(DType::f32, {6, 5}), negated(DType::f32, {6, 5});
    ASSERT_TRUE((*second)->download(b, same));
    ASSERT_TRUE((*third)->download(c, negated));
    for (size_t i = 0; i < 30; ++i) {
      const float expected = std::max(given.as<float>()[i], 0.0f);
      EXPECT_NEAR(same.as<float>()[i], expected, 1e-3) << i;
      EXPECT_NEAR(negated.as<float>()[i], -expected, 1e-3) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, Hybrid,
    testing::Values(Case{"mtl_efficientnet_b0_224_seeded", {}}, Case{"pfld98_ghostone_112", {}},
                    Case{"retinaface_mnet025_dynamic", {{"input", {1, 3, 160, 128}}}}),
    [](const auto& info) {
      std::string name = info.param.model;
      return name.substr(0, name.find('_'));
    });

}  // namespace
}  // namespace vultus::test
