#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "apps/inputs.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/onnx/census.hpp"
#include "host/onnx/import.hpp"
#include "host/ops/op.hpp"
#include "host/run/accuracy.hpp"

namespace vultus::app {

namespace {

struct InspectOptions {
  EngineOptions engine;
  std::string model;
  std::vector<std::string> inputs;
};

const std::set<std::string_view> kActivations = {
    "Relu", "LeakyRelu", "PRelu", "Elu",     "Selu",        "Celu", "Gelu",     "Mish",
    "Silu", "HardSwish", "Clip",  "Sigmoid", "HardSigmoid", "Tanh", "Softplus", "Softmax"};
const std::set<std::string_view> kNormalisations = {"BatchNormalization", "InstanceNormalization",
                                                    "LayerNormalization", "GroupNormalization",
                                                    "LRN"};

/// What the network is once its shapes are known.
struct Layers {
  int64_t macs = 0, parameters = 0;
  size_t before = 0, after = 0;                   ///< nodes, before and after the passes
  std::map<std::string, int64_t> macs_by_kernel;  ///< "3x3", "1x1", "5x5 depthwise", "matrix"
  std::map<std::string, int> operators, activations,
      normalisations;                             ///< after naming, before fusing
  std::map<std::string, int> without_gpu_kernel;  ///< operators after fusing
  std::vector<ValueError> ranges;
  std::vector<std::string> unsafe;
  Graph graph;  ///< fused
};

std::string kernel_of(const Graph& graph, const Node& node) {
  if (node.op != "Conv" && node.op != "ConvTranspose") return "matrix products";
  const Shape& w = graph.shape(node.inputs[1]);
  std::string text;
  for (int i = 2; i < w.rank(); ++i)
    text += fmt::format("{}{}", i > 2 ? "x" : "", w[i]);
  const int64_t groups = node.integer("group", 1);
  if (groups == 1) return text;
  return text + (w[1] == 1 && groups == w[0] ? " depthwise" : " grouped");
}

void count(const Graph& graph, Layers& layers) {
  for (const Node& node : graph.nodes) {
    const int64_t work = macs(graph, node);
    layers.macs += work;
    if (work > 0) layers.macs_by_kernel[kernel_of(graph, node)] += work;
    ++layers.operators[node.op];
    if (kActivations.contains(node.op)) ++layers.activations[node.op];
    if (kNormalisations.contains(node.op)) ++layers.normalisations[node.op];
  }
}

/// Values near or past the largest fp16 number in a run on the given inputs.
Result<void> calibrate(const InspectOptions& options, Layers& layers) {
  VULTUS_TRY(auto cpu, open_cpu(options.engine.threads));
  VULTUS_TRY(const InputSets read, read_inputs(layers.graph, options.inputs, true));
  for (const TestData& set : read.sets) {
    VULTUS_TRY(const auto ranges, value_ranges(layers.graph, *cpu, set.inputs));
    keep_worst(layers.ranges, ranges);
  }
  layers.unsafe = unsafe_nodes(layers.graph, layers.ranges);
  return {};
}

Result<Layers> examine(const InspectOptions& options) {
  Layers layers;
  VULTUS_TRY(auto shapes, options.engine.shape_bindings());
  VULTUS_TRY(Graph graph, import_onnx(options.model, shapes));
  layers.before = graph.nodes.size();
  layers.parameters = parameters(graph);
  layers.graph = graph;
  VULTUS_CHECK(recognise_patterns(graph));
  count(graph, layers);
  VULTUS_CHECK(optimise(layers.graph));
  layers.after = layers.graph.nodes.size();
  for (const Node& node : layers.graph.nodes)
    if (!has_gpu_kernel(node.op)) ++layers.without_gpu_kernel[node.op];
  // Some networks do not run on numbers made up; the rest is known all the same.
  if (auto ran = calibrate(options, layers); !ran && ran.error().code != Errc::bad_model)
    return ran.error();
  return layers;
}

const ValueError* largest(const std::vector<ValueError>& ranges) {
  auto at = std::ranges::max_element(ranges, {}, &ValueError::largest);
  return at == ranges.end() ? nullptr : &*at;
}

template <class Number>
void print_counts(const char* title, const std::map<std::string, Number>& counts) {
  std::vector<std::pair<std::string, Number>> list(counts.begin(), counts.end());
  std::ranges::stable_sort(list, std::ranges::greater(), &std::pair<std::string, Number>::second);
  std::string text;
  for (const auto& [name, number] : list)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", number, name);
  fmt::print("  {:<16}{}\n", title, text.empty() ? "none" : text);
}

void print_file(const InspectOptions& options, const ModelCensus& file) {
  fmt::print("{}\n  {:<16}opset {}, IR {}, made by {}\n", options.model, "file", file.opset,
             file.ir_version, file.producer.empty() ? "an unnamed program" : file.producer);
  for (const ModelCensus::Input& input : file.inputs)
    fmt::print(
        "  {:<16}{} {} [{}]{}\n", "input", input.name, input.dtype, fmt::join(input.dims, ", "),
        input.is_fixed ? ""
                       : fmt::format(", open sizes: bind them with --shape {}=...", input.name));
  fmt::print("  {:<16}{}\n  {:<16}{:.3f} million in the file\n", "outputs",
             fmt::join(file.outputs, ", "), "parameters",
             static_cast<double>(file.parameters) * 1e-6);
  print_counts("operators", file.operators);
}

void print_unsupported(const ModelCensus& file) {
  if (file.unsupported.empty()) {
    fmt::print("  {:<16}none: every operator can be read\n", "unsupported");
    return;
  }
  constexpr size_t kMost = 20;
  for (size_t i = 0; i < std::min(kMost, file.unsupported.size()); ++i)
    fmt::print("  {:<16}{} '{}': {}\n", "unsupported", file.unsupported[i].op,
               file.unsupported[i].node, file.unsupported[i].reason);
  if (file.unsupported.size() > kMost)
    fmt::print("  {:<16}... and {} more\n", "", file.unsupported.size() - kMost);
  fmt::print(
      "  {:<16}export with an opset that docs/operators.md names and with operators of "
      "docs/operators.md,\n"
      "  {:<16}or cut the network before these nodes\n",
      "what to do", "");
}

void print_layers(const Layers& layers) {
  fmt::print("  {:<16}{} nodes, {} once fused; {:.3f} million parameters; {:.3f} GMAC\n", "layers",
             layers.before, layers.after, static_cast<double>(layers.parameters) * 1e-6,
             static_cast<double>(layers.macs) * 1e-9);
  print_counts("by type", layers.operators);
  for (const auto& [kernel, work] : layers.macs_by_kernel)
    fmt::print("  {:<16}{:<18} {:>9.3f} GMAC {:>5.1f} %\n", "MACs", kernel,
               static_cast<double>(work) * 1e-9,
               100 * static_cast<double>(work) / static_cast<double>(layers.macs));
  print_counts("activations", layers.activations);
  print_counts("normalisation", layers.normalisations);
  print_counts("no GPU kernel", layers.without_gpu_kernel);
  if (const ValueError* top = largest(layers.ranges))
    fmt::print("  {:<16}largest value {:.4g} of 65504, in {}; {} nodes need fp32{}\n", "fp16",
               top->largest, describe(layers.graph.node(top->node)), layers.unsafe.size(),
               layers.unsafe.empty() ? "" : ": see `vultus check`");
}

Json as_json(const InspectOptions& options, const ModelCensus& file,
             const Result<Layers>& examined) {
  Json inputs = Json::array(), unsupported = Json::array();
  for (const ModelCensus::Input& input : file.inputs)
    inputs.push_back({{"name", input.name},
                      {"dtype", input.dtype},
                      {"dims", input.dims},
                      {"fixed", input.is_fixed}});
  for (const ModelCensus::Unsupported& node : file.unsupported)
    unsupported.push_back({{"node", node.node}, {"op", node.op}, {"reason", node.reason}});
  Json json = {{"schema", 1},
               {"model", options.model},
               {"opset", file.opset},
               {"producer", file.producer},
               {"inputs", inputs},
               {"outputs", file.outputs},
               {"parameters", file.parameters},
               {"operators", file.operators},
               {"unsupported", unsupported}};
  if (!examined) {
    json["refused"] = examined.error().what;
    return json;
  }
  const Layers& layers = *examined;
  const ValueError* top = largest(layers.ranges);
  json["layers"] = {{"nodes", layers.before},
                    {"nodes_fused", layers.after},
                    {"macs", layers.macs},
                    {"macs_by_kernel", layers.macs_by_kernel},
                    {"by_type", layers.operators},
                    {"activations", layers.activations},
                    {"normalisations", layers.normalisations},
                    {"without_gpu_kernel", layers.without_gpu_kernel},
                    {"largest_value", top ? top->largest : 0},
                    {"keep_fp32", layers.unsafe}};
  return json;
}

Result<ExitCode> inspect(const InspectOptions& options) {
  VULTUS_TRY(ModelCensus file, read_census(options.model));
  const Result<Layers> layers = examine(options);
  if (options.engine.json) {
    print_json(as_json(options, file, layers));
  } else {
    print_file(options, file);
    print_unsupported(file);
    if (layers) print_layers(*layers);
  }
  if (!layers) return layers.error();
  return kComplete;
}

}  // namespace

void add_inspect(CLI::App& app, int& status) {
  auto options = std::make_shared<InspectOptions>();
  auto* command =
      app.add_subcommand("inspect", "what a network consists of, and what it asks of an engine");
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_option(
      "--input", options->inputs,
      "for the ranges: " + std::string(kInputHelp) + " (default: seeded random values)");
  command->add_option("--shape", options->engine.shapes, "binds symbolic sizes: NAME=1x3x480x640");
  command->add_option("--threads", options->engine.threads, "CPU threads")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--json", options->engine.json, "one JSON document on stdout");
  command->footer(
      "Exit code 5 when the engine cannot run it; what the file holds is printed all the same.\n"
      "Example:\n  vultus inspect model.onnx --shape input=1x3x480x640");
  command->callback([options, &status] {
    auto done = inspect(*options);
    status = done ? *done : report(done.error());
  });
}

}  // namespace vultus::app
