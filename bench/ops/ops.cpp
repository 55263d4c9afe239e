/// Single operators at the shapes that STAR, EfficientNet-B0 and RetinaFace give them, on the CPU
/// device and on the Vulkan device (fp16; the software device where there is no other, or what
/// VULTUS_BENCH_DEVICE selects). A time is that of a whole run of a network of one node: copies in
/// and out and changes of layout are part of it. `bench_ops --benchmark_filter=/cpu` leaves the
/// Vulkan device out.

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gpu/device.hpp"
#include "host/graph/activation.hpp"
#include "host/ops/op.hpp"
#include "host/run/session.hpp"

namespace {

using namespace vultus;

struct ConvCase {
  const char* network;
  int64_t in, out, kernel, stride, size;
  Activation activation;
  bool depthwise = false, residual = false;
};

constexpr ConvCase kConvs[] = {
    {"star", 3, 64, 7, 2, 256, Activation::relu},
    {"star", 256, 128, 1, 1, 64, Activation::relu},
    {"star", 128, 128, 3, 1, 64, Activation::relu},
    {"star", 128, 256, 1, 1, 64, Activation::none, false, true},
    {"star", 256, 98, 1, 1, 64, Activation::none},
    {"star", 128, 128, 3, 1, 32, Activation::relu},
    {"star", 128, 128, 3, 1, 16, Activation::relu},
    {"star", 128, 128, 3, 1, 8, Activation::relu},
    {"star", 256, 128, 1, 1, 4, Activation::relu},
    {"efficientnet", 3, 32, 3, 2, 224, Activation::silu},
    {"efficientnet", 16, 96, 1, 1, 112, Activation::silu},
    {"efficientnet", 96, 96, 3, 2, 112, Activation::silu, true},
    {"efficientnet", 144, 144, 5, 2, 56, Activation::silu, true},
    {"efficientnet", 144, 24, 1, 1, 56, Activation::none, false, true},
    {"efficientnet", 672, 672, 5, 1, 14, Activation::silu, true},
    {"efficientnet", 1152, 192, 1, 1, 7, Activation::none, false, true},
    {"efficientnet", 320, 1280, 1, 1, 7, Activation::silu},
    {"retinaface", 3, 8, 3, 2, 640, Activation::leaky_relu},
    {"retinaface", 16, 32, 1, 1, 160, Activation::leaky_relu},
    {"retinaface", 64, 64, 3, 1, 80, Activation::leaky_relu},
    {"retinaface", 128, 128, 3, 1, 40, Activation::leaky_relu, true},
};

Tensor random_tensor(const Shape& shape, float spread) {
  static std::mt19937 generator(1);
  std::uniform_real_distribution<float> uniform(-spread, spread);
  Tensor tensor(DType::f32, shape);
  for (float& v : tensor.as<float>())
    v = uniform(generator);
  return tensor;
}

ValueId add_input(Graph& graph, const std::string& name, const Shape& shape) {
  ValueId value = graph.add_value(name, DType::f32, shape);
  graph.inputs.push_back(value);
  return value;
}

/// A network of one node; the result is its only output.
Result<Graph> of_node(Graph graph, Node node) {
  node.name = node.op;
  ValueId y = graph.add_value("y", DType::f32, {});
  node.outputs = {y};
  graph.value(y).producer = 0;
  graph.nodes.push_back(std::move(node));
  graph.outputs = {y};
  Infer infer(graph, 0);
  VULTUS_CHECK(find_op(graph.nodes[0].op)->infer(infer));
  return graph;
}

Result<Graph> convolution(const ConvCase& c) {
  Graph graph;
  int64_t depth = c.depthwise ? 1 : c.in, pad = (c.kernel - 1) / 2;
  int64_t points = (c.size + 2 * pad - c.kernel) / c.stride + 1;
  Node node;
  node.op = "Conv";
  node.attributes["strides"] = std::vector<int64_t>{c.stride, c.stride};
  node.attributes["pads"] = std::vector<int64_t>(4, pad);
  node.attributes["group"] = c.depthwise ? c.in : int64_t{1};
  set_epilogue(node, {.kind = c.activation, .alpha = 0.1f});
  float spread = 1 / std::sqrt(static_cast<float>(depth * c.kernel * c.kernel));
  node.inputs = {add_input(graph, "x", {1, c.in, c.size, c.size}),
                 graph.add_constant("w", random_tensor({c.out, depth, c.kernel, c.kernel}, spread)),
                 graph.add_constant("b", random_tensor({c.out}, 1))};
  if (c.residual) node.inputs.push_back(add_input(graph, "r", {1, c.out, points, points}));
  return of_node(std::move(graph), std::move(node));
}

/// EfficientNet's head and the AU branch: one row by `columns` outputs.
Result<Graph> linear(int64_t depth, int64_t columns) {
  Graph graph;
  Node node;
  node.op = "Gemm";
  node.attributes["transB"] = int64_t{1};
  node.inputs = {add_input(graph, "x", {1, depth}),
                 graph.add_constant("w", random_tensor({columns, depth}, 0.03f)),
                 graph.add_constant("b", random_tensor({columns}, 1))};
  return of_node(std::move(graph), std::move(node));
}

/// Opened on first use and kept; an error is kept too.
Result<std::unique_ptr<Device>>& device(const std::string& kind) {
  static std::map<std::string, Result<std::unique_ptr<Device>>> opened;
  auto it = opened.find(kind);
  if (it != opened.end()) return it->second;
  if (kind == "cpu") return opened.emplace(kind, open_cpu()).first->second;
  const char* selector = std::getenv("VULTUS_BENCH_DEVICE");
  gpu::OpenOptions options;
  options.selector = selector ? selector : "";
  options.allow_software = true;
  return opened.emplace(kind, gpu::open(options)).first->second;
}

void run(benchmark::State& state, const Result<Graph>& network, const std::string& kind) {
  auto& opened = device(kind);
  if (!network || !opened) {
    state.SkipWithError((!network ? network.error() : opened.error()).what.c_str());
    return;
  }
  Graph graph = *network;
  int64_t work = macs(graph, graph.nodes[0]);
  auto session = Session::from_graph(
      std::move(graph), {.devices = {opened->get()}, .precision = Precision::fp16, .shapes = {}});
  if (!session) {
    state.SkipWithError(session.error().what.c_str());
    return;
  }
  for (const std::string& name : session->input_names()) {
    Tensor data = random_tensor((*session->describe(name))->shape, 1);
    if (!session->set_input(name, data.view())) state.SkipWithError("the input was refused");
  }
  for (auto _ : state)
    if (auto done = session->run(); !done) {
      state.SkipWithError(done.error().what.c_str());
      break;
    }
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * static_cast<double>(work),
                                                 benchmark::Counter::kIsIterationInvariantRate);
}

void add(const std::string& name, const std::function<Result<Graph>()>& make) {
  for (std::string kind : {"cpu", "gpu"})
    benchmark::RegisterBenchmark(
        (name + "/" + kind).c_str(),
        [make, kind](benchmark::State& state) { run(state, make(), kind); })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
}

std::string name_of_case(const ConvCase& c) {
  std::string name = std::string(c.network) + (c.depthwise ? "/depthwise" : "/conv");
  name += std::to_string(c.kernel) + "x" + std::to_string(c.kernel);
  if (c.stride > 1) name += "s" + std::to_string(c.stride);
  name += "/" + std::to_string(c.in) + "to" + std::to_string(c.out);
  return name + "/" + std::to_string(c.size) + "x" + std::to_string(c.size);
}

}  // namespace

int main(int argc, char** argv) {
  for (const ConvCase& c : kConvs)
    add(name_of_case(c), [c] { return convolution(c); });
  add("efficientnet/linear/1280to1280", [] { return linear(1280, 1280); });
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
