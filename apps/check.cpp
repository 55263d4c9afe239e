#include <fmt/format.h>

#include <algorithm>

#include "apps/inputs.hpp"
#include "host/ops/op.hpp"
#include "host/run/accuracy.hpp"
#include "host/run/load.hpp"

namespace vultus::app {

namespace {

struct CheckOptions {
  EngineOptions engine;
  std::string model, recipe;
  std::vector<std::string> inputs;
  double tolerance = 0.05;
  bool nodes = false, no_recipe = false;
};

struct Findings {
  std::vector<ValueError> errors;     ///< in order of computation
  std::vector<std::string> unsafe;    ///< nodes that fp16 cannot serve
  const ValueError* worst = nullptr;  ///< by rel_l2, what is not finite first
  const ValueError* first = nullptr;  ///< not finite, or over the tolerance
};

/// The outputs of one set of test data.
struct Compared {
  std::string folder;
  std::vector<OutputError> errors;
};

bool is_bad(const ValueError& e, double tolerance) {
  return (e.non_finite > 0 && e.reference_non_finite == 0) || e.rel_l2 > tolerance;
}

Findings evaluate(const Graph& graph, std::vector<ValueError> errors, double tolerance) {
  Findings found{std::move(errors), {}, nullptr, nullptr};
  found.unsafe = unsafe_nodes(graph, found.errors);
  for (const ValueError& e : found.errors) {
    auto rank = [](const ValueError& x) {
      return std::pair(x.non_finite > x.reference_non_finite, x.rel_l2);
    };
    if (!found.worst || rank(e) > rank(*found.worst)) found.worst = &e;
    if (!found.first && is_bad(e, tolerance)) found.first = &e;
  }
  return found;
}

Json as_json(const Graph& graph, const ValueError* e) {
  if (!e) return nullptr;
  return {{"node", graph.node(e->node).name},
          {"op", graph.node(e->node).op},
          {"value", graph.value(e->value).name},
          {"max_abs", e->max_abs},
          {"rel_l2", e->rel_l2},
          {"largest", e->largest},
          {"non_finite", e->non_finite},
          {"reference_non_finite", e->reference_non_finite}};
}

void print_row(const Graph& graph, const ValueError& e) {
  const Node& node = graph.node(e.node);
  fmt::print("  {:<20} {:<44} {:>14} {:>10.2e} {:>10.2e} {:>10.3g} {:>7}\n", node.op,
             node.name.size() > 44 ? "..." + node.name.substr(node.name.size() - 41) : node.name,
             graph.shape(e.value).str(), e.rel_l2, e.max_abs, e.largest, e.non_finite);
}

void print_text(const CheckOptions& options, const Graph& graph, const OpenedDevices& devices,
                const Findings& found) {
  fmt::print("{}\n  {} in {} against CPU in fp32; errors are those of the whole way to a layer\n",
             options.model, devices.note, options.engine.precision);
  fmt::print("  {:<20} {:<44} {:>14} {:>10} {:>10} {:>10} {:>7}\n", "operator", "node", "shape",
             "rel. L2", "max abs", "largest", "not fin.");
  std::vector<ValueError> rows = found.errors;
  constexpr size_t kMost = 12;
  if (!options.nodes) {
    std::ranges::stable_sort(rows, std::ranges::greater(), [](const ValueError& e) {
      return std::pair(e.non_finite > e.reference_non_finite, e.rel_l2);
    });
    rows.resize(std::min(kMost, rows.size()));
    fmt::print("  the worst {} of {} (--nodes lists all, in order):\n", rows.size(),
               found.errors.size());
  }
  for (const ValueError& e : rows)
    print_row(graph, e);
  fmt::print("  the outputs:\n");
  for (const ValueError& e : found.errors)
    if (graph.is_output(e.value)) print_row(graph, e);
  if (!found.first)
    fmt::print("  every layer is within {} (relative L2)\n", options.tolerance);
  else
    fmt::print("  first layer {}: {}\n",
               found.first->non_finite > 0 ? "with values that are not finite"
                                           : fmt::format("over {}", options.tolerance),
               describe(graph.node(found.first->node)));
  fmt::print("  {} of {} nodes need fp32\n", found.unsafe.size(), graph.nodes.size());
  if (found.first && found.unsafe.empty() && options.engine.precision == "fp16")
    fmt::print(
        "  no value comes near the limits of fp16: the differences are rounding, which a threshold "
        "can enlarge;\n  look at the outputs, and use --precision fp32 where they matter\n");
}

/// Where the recipe belongs: nothing without unsafe nodes, or when it must not be written.
Result<std::string> save_recipe(const CheckOptions& options, const Findings& found) {
  if (options.no_recipe || options.engine.precision != "fp16") return std::string();
  const std::string path =
      options.recipe.empty() ? options.engine.recipe_of(options.model) : options.recipe;
  if (found.unsafe.empty() && options.recipe.empty()) return std::string();
  VULTUS_CHECK(write_recipe(path, found.unsafe));
  return path;
}

/// Layers with the inputs of every set, each as in the set where it is worst.
Result<std::vector<ValueError>> compare_layers(const Graph& graph, const SessionOptions& wanted,
                                               Device& reference, const InputSets& read) {
  std::vector<ValueError> worst;
  for (const TestData& set : read.sets) {
    VULTUS_TRY(const auto errors, compare_values(graph, wanted, reference, set.inputs));
    keep_worst(worst, errors);
  }
  return worst;
}

/// Outputs against those of the test data, where there are any.
Result<std::vector<Compared>> compare_test_data(const Graph& graph, const SessionOptions& wanted,
                                                const InputSets& read) {
  std::vector<Compared> list;
  if (std::ranges::all_of(read.sets, [](const TestData& set) { return set.outputs.empty(); }))
    return list;
  VULTUS_TRY(Session session, Session::from_graph(graph, wanted));
  for (const TestData& set : read.sets) {
    VULTUS_CHECK(set_inputs(session, set));
    VULTUS_CHECK(session.run());
    list.push_back({set.folder, compare_outputs(session, set.outputs)});
  }
  return list;
}

bool all_within(const std::vector<Compared>& sets, double tolerance) {
  return std::ranges::all_of(sets, [&](const Compared& set) {
    return std::ranges::all_of(set.errors,
                               [&](const OutputError& e) { return e.within(tolerance); });
  });
}

Json as_json(const std::vector<Compared>& sets, double tolerance) {
  Json list = Json::array();
  for (const Compared& set : sets)
    for (const OutputError& error : set.errors) {
      list.push_back(error_json(error, tolerance));
      list.back()["data_set"] = set.folder;
    }
  return list;
}

void print_test_data(const std::vector<Compared>& sets, double tolerance) {
  for (const Compared& set : sets)
    for (const OutputError& error : set.errors)
      fmt::print("  output '{}' against {}: {}{}\n", error.name, set.folder, error_text(error),
                 error.within(tolerance) ? "" : "; over the tolerance");
}

Result<ExitCode> check(const CheckOptions& options) {
  const std::string device = options.engine.device == "auto" ? "gpu" : options.engine.device;
  VULTUS_TRY(OpenedDevices devices, open_devices(options.engine, device));
  VULTUS_TRY(SessionOptions wanted, session_options(options.model, options.engine, devices));
  VULTUS_TRY(const LoadedGraph loaded,
             load_graph(options.model, wanted.shapes, wanted.batch, wanted.fuse));
  const Graph& graph = loaded.graph;
  VULTUS_TRY(const InputSets read, read_inputs(graph, options.inputs, true));
  VULTUS_TRY(auto errors, compare_layers(graph, wanted, *devices.owned.back(), read));
  VULTUS_TRY(const auto outputs, compare_test_data(graph, wanted, read));
  const Findings found = evaluate(graph, std::move(errors), options.tolerance);
  VULTUS_TRY(std::string recipe, save_recipe(options, found));
  if (options.engine.json) {
    Json nodes = Json::array();
    for (const ValueError& e : found.errors)
      nodes.push_back(as_json(graph, &e));
    print_json({{"schema", 1},
                {"model", options.model},
                {"device", devices.note},
                {"precision", options.engine.precision},
                {"tolerance", options.tolerance},
                {"worst", as_json(graph, found.worst)},
                {"first", as_json(graph, found.first)},
                {"keep_fp32", found.unsafe},
                {"recipe", recipe},
                {"outputs", as_json(outputs, options.tolerance)},
                {"nodes", nodes}});
  } else {
    print_text(options, graph, devices, found);
    print_test_data(outputs, options.tolerance);
    if (!recipe.empty())
      fmt::print("  written: {} (use --precision mixed{})\n", recipe,
                 recipe == options.model + ".mixed.json" ? "" : " --recipe " + recipe);
  }
  return found.first || !all_within(outputs, options.tolerance) ? kMismatch : kComplete;
}

}  // namespace

void add_check(CLI::App& app, int& status) {
  auto options = std::make_shared<CheckOptions>();
  auto* command = app.add_subcommand(
      "check", "every layer on a device against fp32 on the CPU; what cannot be kept in fp16");
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_option(
      "--input", options->inputs,
      std::string(kInputHelp) + ", each of which is run (default: seeded random values)");
  command
      ->add_option("--tolerance", options->tolerance,
                   "relative L2 error that a layer may have, and an output against test data")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  command->add_flag("--nodes", options->nodes, "list every layer");
  command->add_option("-o,--output", options->recipe,
                      "recipe for --precision mixed (default: MODEL.mixed.json, where a layer "
                      "needs fp32)");
  command->add_flag("--no-recipe", options->no_recipe, "write nothing");
  options->engine.add_to(*command);
  command->footer(
      "Exit code 9 when a layer is over the tolerance or not finite, or an output not that of the "
      "test data.\n"
      "Random inputs are harsher than pictures: give --input with real ones.\n"
      "Examples:\n  vultus check model.onnx --input input=face.npy\n"
      "  vultus check model.onnx --input folder/of/model");
  command->callback([options, &status] {
    auto done = check(*options);
    status = done ? *done : report(done.error());
  });
}

}  // namespace vultus::app
