#include "tests/support/support.hpp"

#include <zip.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>

#include "host/core/npy.hpp"
#include "host/ops/op.hpp"

namespace vultus::test {

std::string shared(const std::string& relative) {
  const char* set = std::getenv("VULTUS_SHARED");
  std::filesystem::path root = set && *set ? set : VULTUS_DEFAULT_SHARED;
  std::filesystem::path path = root / relative;
  return std::filesystem::exists(path) ? path.string() : "";
}

std::map<std::string, Tensor> read_npz(const std::string& path) {
  std::map<std::string, Tensor> arrays;
  int error = 0;
  zip_t* archive = zip_open(path.c_str(), ZIP_RDONLY, &error);
  if (!archive) {
    ADD_FAILURE() << "cannot open " << path;
    return arrays;
  }
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    zip_stat_t stat;
    zip_stat_index(archive, static_cast<zip_uint64_t>(i), 0, &stat);
    std::vector<std::byte> bytes(stat.size);
    zip_file_t* file = zip_fopen_index(archive, static_cast<zip_uint64_t>(i), 0);
    zip_fread(file, bytes.data(), stat.size);
    zip_fclose(file);
    std::string name = stat.name;
    auto tensor = parse_npy(bytes, name);
    if (!tensor)
      ADD_FAILURE() << tensor.error().what;
    else
      arrays.emplace(name.substr(0, name.size() - 4), std::move(*tensor));
  }
  zip_close(archive);
  return arrays;
}

double relative_l2(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) return std::numeric_limits<double>::infinity();
    double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    difference += d * d;
    norm += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return norm == 0 ? std::sqrt(difference) : std::sqrt(difference / norm);
}

Tensor random_tensor(const Shape& shape, uint32_t seed, float low, float high) {
  Tensor t(DType::f32, shape);
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  for (float& v : t.as<float>())
    v = uniform(engine);
  return t;
}

Result<Graph> single_node(const std::string& op,
                          std::map<std::string, Attribute, std::less<>> attributes,
                          const std::vector<Operand>& operands, size_t outputs, int opset) {
  Graph graph;
  graph.name = op;
  Node node;
  node.name = "node";
  node.op = op;
  node.opset = opset;
  node.attributes = std::move(attributes);
  for (size_t i = 0; i < operands.size(); ++i) {
    const Operand& operand = operands[i];
    std::string name = "in" + std::to_string(i);
    if (!operand.tensor.bytes()) {
      node.inputs.push_back(kNoValue);
    } else if (operand.constant) {
      node.inputs.push_back(graph.add_constant(name, operand.tensor.clone()));
    } else {
      node.inputs.push_back(graph.add_value(name, operand.tensor.dtype(), operand.tensor.shape()));
      graph.inputs.push_back(node.inputs.back());
    }
  }
  for (size_t i = 0; i < outputs; ++i) {
    node.outputs.push_back(graph.add_value("out" + std::to_string(i), DType::f32, {}));
    graph.value(node.outputs.back()).producer = 0;
    graph.outputs.push_back(node.outputs.back());
  }
  graph.nodes.push_back(std::move(node));
  VULTUS_CHECK(infer_shapes(graph));
  return graph;
}

Result<std::vector<Tensor>> run_on(Device& device, const Graph& graph,
                                   const std::vector<const Tensor*>& inputs, Precision precision) {
  PartitionSpec spec;
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n)
    spec.nodes.push_back(n);
  spec.inputs = graph.inputs;
  spec.outputs = graph.outputs;
  spec.precision = precision;
  VULTUS_TRY(auto partition, device.compile(graph, spec));
  for (size_t i = 0; i < inputs.size(); ++i)
    VULTUS_CHECK(partition->upload(graph.inputs[i], inputs[i]->view()));
  VULTUS_CHECK(partition->submit());
  VULTUS_CHECK(partition->wait());
  std::vector<Tensor> results;
  for (ValueId v : graph.outputs) {
    Tensor out(graph.value(v).dtype, graph.shape(v));
    VULTUS_CHECK(partition->download(v, out));
    results.push_back(std::move(out));
  }
  return results;
}

}  // namespace vultus::test
