#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "host/graph/passes/passes.hpp"
#include "host/onnx/import.hpp"
#include "host/run/accuracy.hpp"
#include "tests/support/batches.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/support.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus::test {
namespace {

/// in -> Conv calm -> Conv loud (a million times louder) -> Relu -> Conv quiet (back again) -> Conv
/// last. Seeded; between `loud` and `quiet` values are far beyond fp16.
Graph loud_network() {
  std::mt19937 engine(20261121);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Graph g;
  ValueId at = g.add_value("in", DType::f32, {1, 8, 12, 10});
  g.inputs = {at};
  auto add = [&](const char* op, const char* name, std::vector<ValueId> inputs) {
    ValueId out = g.add_value(std::string(name) + ".out", DType::f32, {1, 8, 12, 10});
    g.value(out).producer = static_cast<NodeId>(g.nodes.size());
    g.nodes.push_back({name, op, 18, {}, std::move(inputs), {out}});
    return out;
  };
  auto conv = [&](const char* name, float gain) {
    Tensor weights(DType::f32, {8, 8, 1, 1});
    for (float& w : weights.as<float>())
      w = gain * uniform(engine);
    at = add("Conv", name, {at, g.add_constant(std::string(name) + ".w", std::move(weights))});
  };
  conv("calm", 1);
  conv("loud", 1e6f);
  at = add("Relu", "relu", {at});
  conv("quiet", 1e-6f);
  conv("last", 1);
  g.outputs = {at};
  return g;
}

TEST(Mixed, ANetworkBeyondHalfPrecisionIsCaughtAndCured) {
  VULTUS_NEED_GPU(gpu);
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  Graph graph = loud_network();
  ASSERT_TRUE(optimise(graph));
  std::map<std::string, Tensor> inputs;
  inputs.emplace("in", wave_picture({1, 8, 12, 10}, 0));
  SessionOptions options;
  options.devices = {&gpu, cpu->get()};
  options.precision = Precision::fp16;

  auto errors = compare_values(graph, options, **cpu, inputs);
  ASSERT_TRUE(errors) << errors.error().what;
  int64_t not_finite = 0;
  for (const ValueError& e : *errors)
    not_finite += e.non_finite;
  EXPECT_GT(not_finite, 0) << "fp16 alone must fail here";
  const std::vector<std::string> unsafe = unsafe_nodes(graph, *errors);
  EXPECT_NE(std::ranges::find(unsafe, "loud"), unsafe.end());
  EXPECT_NE(std::ranges::find(unsafe, "quiet"), unsafe.end());
  EXPECT_EQ(std::ranges::find(unsafe, "calm"), unsafe.end());

  options.keep_fp32 = unsafe;
  errors = compare_values(graph, options, **cpu, inputs);
  ASSERT_TRUE(errors) << errors.error().what;
  for (const ValueError& e : *errors) {
    EXPECT_EQ(e.non_finite, 0) << graph.value(e.value).name;
    EXPECT_LE(e.rel_l2, 2e-3) << graph.value(e.value).name;
  }
  auto session = Session::from_graph(graph, options);
  ASSERT_TRUE(session) << session.error().what;
  EXPECT_DOUBLE_EQ(session->plan().coverage_ops(session->graph(), DeviceKind::gpu), 1);
  EXPECT_EQ(session->plan().partitions.size(), 1u) << "what is kept in fp32 stays on the device";
}

/// The output of a network of the shared folder on the wave picture.
Result<Tensor> run_once(const Graph& graph, const SessionOptions& options) {
  VULTUS_TRY(Session session, Session::from_graph(graph, options));
  const Value& input = *session.describe(session.input_names()[0]).value();
  const Tensor picture = wave_picture(input.shape, 0);
  VULTUS_CHECK(session.set_input(input.name, picture.view()));
  VULTUS_CHECK(session.run());
  VULTUS_CHECK(session.run());
  return session.output(0).clone();
}

TEST(Mixed, WhateverIsKeptInFp32TheResultsStay) {
  VULTUS_NEED_GPU(gpu);
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  for (const char* name : {"pfld98_ghostone_112", "retinaface_mnet025_dynamic"}) {
    SCOPED_TRACE(name);
    VULTUS_NEED_SHARED(path, std::string("models/") + name + ".onnx");
    ShapeBindings shapes;
    if (std::string_view(name).ends_with("dynamic")) shapes["input"] = {1, 3, 160, 128};
    auto graph = import_onnx(path, shapes);
    ASSERT_TRUE(graph) << graph.error().what;
    ASSERT_TRUE(optimise(*graph));
    auto expected = run_once(*graph, {.devices = {cpu->get()}});
    ASSERT_TRUE(expected) << expected.error().what;
    auto error = [&](const Tensor& got) {
      return relative_l2(got.as<float>(), expected->as<float>());
    };
    auto narrow = run_once(*graph, {.devices = {&gpu}, .precision = Precision::fp16});
    ASSERT_TRUE(narrow) << narrow.error().what;
    for (unsigned seed = 1; seed <= 3; ++seed) {
      std::mt19937 random(seed);
      SessionOptions options{.devices = {&gpu}, .precision = Precision::fp16};
      for (const Node& node : graph->nodes)
        if (random() % 3 == 0) options.keep_fp32.push_back(node.name);
      auto got = run_once(*graph, options);
      ASSERT_TRUE(got) << got.error().what;
      EXPECT_LE(error(*got), 1.5 * error(*narrow)) << "seed " << seed;
    }
    SessionOptions all{.devices = {&gpu}, .precision = Precision::fp16};
    for (const Node& node : graph->nodes)
      all.keep_fp32.push_back(node.name);
    auto exact = run_once(*graph, all);
    ASSERT_TRUE(exact) << exact.error().what;
    EXPECT_LE(error(*exact), 1e-5);
  }
}

TEST(Recipe, IsReadAsItWasWritten) {
  const test::TemporaryFolder temporary;
  const std::string& folder = temporary.path();
  const std::string path = folder + "/net.mixed.json";
  EXPECT_EQ(read_recipe(path).error().code, Errc::bad_input);
  EXPECT_EQ(read_recipe(folder).error().code, Errc::bad_input) << "a folder";
  const std::vector<std::string> nodes = {"/a/Conv", "b \"quoted\""};
  ASSERT_TRUE(write_recipe(path, nodes));
  auto read = read_recipe(path);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(*read, nodes);
  for (const char* text : {"", "[]", "{}", "{\"schema\":1}", "{\"schema\":1,\"keep_fp32\":[1]}",
                           "{\"schema\":2,\"keep_fp32\":[]}"}) {
    std::ofstream(path) << text;
    EXPECT_FALSE(read_recipe(path)) << text;
  }
  EXPECT_EQ(write_recipe(folder + "/absent/x.json", nodes).error().code, Errc::unwritable);
}

}  // namespace
}  // namespace vultus::test
