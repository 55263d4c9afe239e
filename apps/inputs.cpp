#include "apps/inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "host/core/npy.hpp"
#include "host/run/random_input.hpp"

namespace vultus::app {

namespace {

Result<const Value*> input_of(const Graph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (ValueId v : graph.inputs) {
    names.push_back(graph.value(v).name);
    if (names.back() == name) return &graph.value(v);
  }
  return Error{Errc::usage, fmt::format("the network has no input '{}'; it has: {}", name,
                                        fmt::join(names, ", "))};
}

Result<std::map<std::string, std::string>> files_by_name(const Graph& graph,
                                                         const std::vector<std::string>& files) {
  std::map<std::string, std::string> given;
  for (const std::string& text : files) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos && graph.inputs.size() != 1)
      return Error{Errc::usage,
                   fmt::format("--input {}: expected NAME=FILE.npy, the network has {} inputs",
                               text, graph.inputs.size())};
    if (equals == std::string::npos)
      given[graph.value(graph.inputs[0]).name] = text;
    else
      given[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return given;
}

}  // namespace

Result<std::map<std::string, Tensor>> read_inputs(const Graph& graph,
                                                  const std::vector<std::string>& files,
                                                  bool fill) {
  VULTUS_TRY(const auto given, files_by_name(graph, files));
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, file] : given) {
    VULTUS_TRY(const Value* value, input_of(graph, name));
    VULTUS_TRY(Tensor tensor, read_npy(file));
    if (tensor.dtype() != value->dtype || !(tensor.shape() == value->shape))
      return Error{Errc::bad_input, fmt::format("{}: holds {} {}, but input '{}' takes {} {}", file,
                                                name_of(tensor.dtype()), tensor.shape().str(), name,
                                                name_of(value->dtype), value->shape.str())};
    tensors.insert_or_assign(name, std::move(tensor));
  }
  for (ValueId v : graph.inputs) {
    const Value& value = graph.value(v);
    if (given.contains(value.name)) continue;
    if (!fill)
      return Error{Errc::usage,
                   fmt::format("input '{}' ({} {}) was not given: --input {}=FILE.npy", value.name,
                               name_of(value.dtype), value.shape.str(), value.name)};
    tensors.insert_or_assign(value.name, random_input(value));
  }
  return tensors;
}

}  // namespace vultus::app
