#include "apps/inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "host/core/npy.hpp"
#include "host/onnx/tensor_file.hpp"
#include "host/run/random_input.hpp"

namespace vultus::app {

namespace {

/// Of all sets together; they are read before the first of them is run.
constexpr size_t kMaxBytes = size_t{8} << 30;

bool is_folder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

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
                                                         const std::vector<std::string>& texts) {
  std::map<std::string, std::string> given;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos && graph.inputs.size() != 1)
      return Error{Errc::usage,
                   fmt::format("--input {}: expected NAME=FILE.npy, the network has {} inputs; or "
                               "a folder of test data, which this is not",
                               text, graph.inputs.size())};
    const std::string file = equals == std::string::npos ? text : text.substr(equals + 1);
    if (is_folder(file))
      return Error{Errc::usage,
                   fmt::format("--input {}: a folder of test data has all inputs; give it alone "
                               "and without a name, as --input {}",
                               text, file)};
    given[equals == std::string::npos ? graph.value(graph.inputs[0]).name
                                      : text.substr(0, equals)] = file;
  }
  return given;
}

Result<Tensor> read_array(const std::string& file) {
  if (!file.ends_with(".pb")) return read_npy(file);
  VULTUS_TRY(NamedTensor read, read_tensor_file(file));
  return std::move(read.tensor);
}

Result<TestData> read_arrays(const Graph& graph, const std::vector<std::string>& texts, bool fill) {
  VULTUS_TRY(const auto given, files_by_name(graph, texts));
  TestData data;
  for (const auto& [name, file] : given) {
    VULTUS_TRY(const Value* value, input_of(graph, name));
    VULTUS_TRY(Tensor tensor, read_array(file));
    if (tensor.dtype() != value->dtype || !(tensor.shape() == value->shape))
      return Error{Errc::bad_input, fmt::format("{}: holds {} {}, but input '{}' takes {} {}", file,
                                                name_of(tensor.dtype()), tensor.shape().str(), name,
                                                name_of(value->dtype), value->shape.str())};
    data.inputs.insert_or_assign(name, std::move(tensor));
  }
  for (ValueId v : graph.inputs) {
    const Value& value = graph.value(v);
    if (given.contains(value.name)) continue;
    if (!fill)
      return Error{Errc::usage,
                   fmt::format("input '{}' ({} {}) was not given: --input {}=FILE.npy", value.name,
                               name_of(value.dtype), value.shape.str(), value.name)};
    data.inputs.insert_or_assign(value.name, random_input(graph, v));
  }
  return data;
}

size_t bytes_of(const TestData& data) {
  size_t bytes = 0;
  for (const auto* tensors : {&data.inputs, &data.outputs})
    for (const auto& [name, tensor] : *tensors)
      bytes += tensor.size_bytes();
  return bytes;
}

Result<InputSets> read_folder(const Graph& graph, const std::string& folder, size_t most) {
  VULTUS_TRY(const auto folders, find_test_data(folder));
  InputSets read{{}, folders.size(), folders[0] != folder};
  size_t bytes = 0;
  for (size_t i = 0; i < std::min(most, folders.size()); ++i) {
    VULTUS_TRY(TestData data, read_test_data(folders[i], graph));
    bytes += bytes_of(data);
    if (bytes > kMaxBytes)
      return Error{Errc::bad_input,
                   fmt::format("{}: holds over {} GiB of test data; give the folders in it one by "
                               "one",
                               folder, kMaxBytes >> 30)};
    read.sets.push_back(std::move(data));
  }
  return read;
}

}  // namespace

Result<InputSets> read_inputs(const Graph& graph, const std::vector<std::string>& texts, bool fill,
                              size_t most) {
  if (texts.size() == 1 && is_folder(texts[0])) return read_folder(graph, texts[0], most);
  InputSets read;
  VULTUS_TRY(TestData data, read_arrays(graph, texts, fill));
  read.sets.push_back(std::move(data));
  return read;
}

Result<void> set_inputs(Session& session, const TestData& data) {
  for (const auto& [name, tensor] : data.inputs)
    VULTUS_CHECK(session.set_input(name, tensor.view()));
  return {};
}

double tolerance_of(const Session& session, const EngineOptions& engine) {
  const bool on_gpu = session.plan().coverage_ops(session.graph(), DeviceKind::gpu) > 0;
  return on_gpu && parse_precision(engine.precision) == Precision::fp16 ? 0.05 : 0.001;
}

Json error_json(const OutputError& error, double tolerance) {
  Json json = {{"name", error.name}, {"within", error.within(tolerance)}};
  if (!error.incomparable.empty()) {
    json["incomparable"] = error.incomparable;
    return json;
  }
  json["max_abs"] = error.max_abs;
  json["max_rel"] = error.max_rel;
  json["rel_l2"] = error.rel_l2;
  json["non_finite"] = error.non_finite;
  return json;
}

std::string error_text(const OutputError& error) {
  if (!error.incomparable.empty()) return error.incomparable;
  std::string text = fmt::format("worst error {:.2e} absolute, {:.2e} relative; relative L2 {:.2e}",
                                 error.max_abs, error.max_rel, error.rel_l2);
  if (error.non_finite > 0)
    text += fmt::format("; elements that are not finite, or should not be: {}", error.non_finite);
  return text;
}

}  // namespace vultus::app
