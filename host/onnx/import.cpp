#include "host/onnx/import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <new>
#include <queue>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "host/graph/passes/passes.hpp"
#include "host/onnx/attributes.hpp"
#include "host/onnx/inputs.hpp"
#include "host/ops/op.hpp"

namespace vultus {

namespace {

class GraphBuilder {
 public:
  GraphBuilder(Model& model, const ShapeBindings& bindings, int64_t batch, std::string folder)
      : model_(model.proto),
        whole_(model),
        wanted_batch_(batch),
        proto_(*model.proto.mutable_graph()),
        bindings_(bindings),
        tensors_(std::move(folder)) {}

  /// What the batch of 1 that the file fixes is to become; known after `build`.
  int64_t batch() const { return batch_; }
  Result<Graph> build() {
    graph_.name = proto_.name();
    VULTUS_CHECK(add_inputs());
    VULTUS_CHECK(add_initializers());
    VULTUS_CHECK(add_nodes());
    VULTUS_CHECK(connect_inputs());
    VULTUS_CHECK(sort_nodes());
    VULTUS_CHECK(add_outputs());
    graph_.compact();
    VULTUS_CHECK(check_operators());
    return std::move(graph_);
  }

 private:
  Result<void> define(const std::string& name, ValueId id, const std::string& by) {
    if (ids_.emplace(name, id).second) return {};
    return bad_model(fmt::format("{} defines the tensor '{}', which exists already", by, name));
  }
  Result<void> add_inputs();
  Result<void> add_initializers();
  Result<void> add_nodes();
  Result<void> add_node(const onnx::NodeProto& proto);
  Result<std::string> unique_name(const onnx::NodeProto& proto);
  Result<void> connect_inputs();
  Result<void> sort_nodes();
  Result<void> add_outputs();
  Result<void> check_operators() const;

  onnx::ModelProto& model_;
  const Model& whole_;
  int64_t wanted_batch_;
  onnx::GraphProto& proto_;
  const ShapeBindings& bindings_;
  TensorReader tensors_;
  Graph graph_;
  int64_t batch_ = 1;
  std::unordered_map<std::string, ValueId> ids_;
  std::unordered_set<std::string> node_names_;
  std::vector<const onnx::NodeProto*> protos_;  ///< of graph_.nodes, until they are sorted
};

Result<void> GraphBuilder::add_inputs() {
  VULTUS_TRY(auto inputs, read_inputs(proto_, bindings_, wanted_batch_));
  for (const InputSpec& input : inputs) {
    ValueId id = graph_.add_value(input.name, input.dtype, input.shape);
    VULTUS_CHECK(define(input.name, id, "the input list"));
    graph_.inputs.push_back(id);
    if (input.batch != inputs[0].batch)
      return Error{Errc::usage, fmt::format("--shape: inputs '{}' and '{}' differ in their batch",
                                            inputs[0].name, input.name)};
    batch_ = input.batch;
  }
  return {};
}

Result<void> GraphBuilder::add_initializers() {
  for (int i = 0; i < proto_.initializer_size(); ++i) {
    onnx::TensorProto& proto = *proto_.mutable_initializer(i);
    VULTUS_CHECK(check_name(proto.name(), "initialiser"));
    if (proto.name().empty()) return bad_model("has an initialiser without a name");
    VULTUS_TRY(auto tensor,
               tensors_.read(proto, fmt::format("initialiser '{}'", proto.name()),
                             {whole_.source.get(), whole_.raw[static_cast<size_t>(i)]}));
    VULTUS_CHECK(define(proto.name(), graph_.add_constant(proto.name(), std::move(tensor)),
                        "the initialiser list"));
    // Otherwise a network would be in memory twice until the end.
    std::string().swap(*proto.mutable_raw_data());
  }
  return tensors_.finish();
}

Result<std::string> GraphBuilder::unique_name(const onnx::NodeProto& proto) {
  std::string first_output;
  for (const std::string& output : proto.output())
    if (first_output.empty()) first_output = output;
  if (first_output.empty())
    return bad_model(
        fmt::format("{} '{}' has no output with a name", proto.op_type(), proto.name()));
  std::string name = proto.name().empty() ? first_output : proto.name();
  if (node_names_.insert(name).second) return name;
  // Two nodes of one name: their outputs' names are unique, a number settles the rest.
  for (int i = 1;; ++i) {
    std::string tried = i == 1 ? first_output : fmt::format("{}#{}", first_output, i);
    if (node_names_.insert(tried).second) return tried;
  }
}

Result<void> GraphBuilder::add_node(const onnx::NodeProto& proto) {
  Node node;
  VULTUS_TRY(node.name, unique_name(proto));
  node.op = proto.op_type();
  node.opset = opset_of(model_);
  VULTUS_CHECK(read_attributes(proto, tensors_, node));
  for (const std::string& output : proto.output())
    VULTUS_CHECK(check_name(output, "tensor"));
  if (node.op == "Constant") {
    VULTUS_TRY(auto tensor, constant_of(node));
    if (proto.output_size() != 1 || proto.input_size() != 0)
      return bad_model(fmt::format("{}: must have one output and no input", describe(node)));
    return define(proto.output(0), graph_.add_constant(proto.output(0), std::move(tensor)),
                  describe(node));
  }
  for (const std::string& output : proto.output()) {
    ValueId id = kNoValue;
    if (!output.empty()) {
      id = graph_.add_value(output, DType::f32, {});
      graph_.value(id).producer = static_cast<NodeId>(graph_.nodes.size());
      VULTUS_CHECK(define(output, id, describe(node)));
    }
    node.outputs.push_back(id);
  }
  graph_.nodes.push_back(std::move(node));
  protos_.push_back(&proto);
  return {};
}

Result<void> GraphBuilder::add_nodes() {
  for (const auto& proto : proto_.node())
    VULTUS_CHECK(add_node(proto));
  return {};
}

Result<void> GraphBuilder::connect_inputs() {
  for (size_t n = 0; n < graph_.nodes.size(); ++n) {
    Node& node = graph_.nodes[n];
    for (const std::string& input : protos_[n]->input()) {
      if (input.empty()) {
        node.inputs.push_back(kNoValue);
        continue;
      }
      auto found = ids_.find(input);
      if (found == ids_.end()) {
        VULTUS_CHECK(check_name(input, "tensor"));
        return bad_model(fmt::format("{}: reads '{}', which no node, input or initialiser provides",
                                     describe(node), input));
      }
      node.inputs.push_back(found->second);
    }
    while (!node.inputs.empty() && node.inputs.back() == kNoValue)
      node.inputs.pop_back();
  }
  return {};
}

/// Keeps the file's order wherever it is valid, as it is in every file that follows the standard.
Result<void> GraphBuilder::sort_nodes() {
  std::vector<int> waiting(graph_.nodes.size(), 0);
  std::vector<std::vector<NodeId>> readers(graph_.nodes.size());
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  for (NodeId n = 0; n < static_cast<NodeId>(graph_.nodes.size()); ++n) {
    for (ValueId v : graph_.node(n).inputs) {
      if (v == kNoValue || graph_.value(v).producer < 0) continue;
      readers[static_cast<size_t>(graph_.value(v).producer)].push_back(n);
      ++waiting[static_cast<size_t>(n)];
    }
    if (waiting[static_cast<size_t>(n)] == 0) ready.push(n);
  }
  std::vector<Node> sorted;
  while (!ready.empty()) {
    NodeId n = ready.top();
    ready.pop();
    for (NodeId reader : readers[static_cast<size_t>(n)])
      if (--waiting[static_cast<size_t>(reader)] == 0) ready.push(reader);
    for (ValueId v : graph_.node(n).outputs)
      if (v != kNoValue) graph_.value(v).producer = static_cast<NodeId>(sorted.size());
    sorted.push_back(std::move(graph_.node(n)));
  }
  for (size_t n = 0; n < graph_.nodes.size(); ++n)
    if (waiting[n] > 0)
      return bad_model(fmt::format("{}: waits for its own result (the graph has a cycle)",
                                   describe(graph_.nodes[n])));
  graph_.nodes = std::move(sorted);
  return {};
}

Result<void> GraphBuilder::add_outputs() {
  std::set<std::string> names;
  for (const auto& output : proto_.output()) {
    VULTUS_CHECK(check_name(output.name(), "output"));
    if (output.name().empty()) return bad_model("has an output without a name");
    if (!names.insert(output.name()).second)
      return bad_model(fmt::format("declares the output '{}' twice", output.name()));
    auto found = ids_.find(output.name());
    if (found == ids_.end())
      return bad_model(fmt::format("output '{}' is not computed by any node", output.name()));
    graph_.outputs.push_back(found->second);
  }
  if (graph_.outputs.empty()) return bad_model("has no output");
  return {};
}

Result<void> GraphBuilder::check_operators() const {
  constexpr size_t kMaxListed = 8;
  std::set<std::string> seen;
  std::vector<std::string> unknown;
  for (const Node& node : graph_.nodes) {
    const Op* op = find_op(node.op);
    if (!op) {
      if (seen.insert(node.op).second && unknown.size() < kMaxListed)
        unknown.push_back(describe(node));
    } else if (node.opset < op->since || node.opset > op->until) {
      return bad_model(fmt::format("{}: opset {} is not supported for this operator, {} to {} are",
                                   describe(node), node.opset, op->since, op->until));
    }
  }
  if (unknown.empty()) return {};
  return bad_model(
      fmt::format("uses {} operator{} that this engine does not have: {} "
                  "(docs/operators.md lists those it has)",
                  seen.size(), seen.size() == 1 ? "" : "s", fmt::join(unknown, ", ")));
}

/// Nothing downstream can know a length that only running tells.
Result<void> check_dynamic_rows(const Graph& graph) {
  for (const Node& node : graph.nodes)
    for (ValueId v : node.inputs)
      if (v != kNoValue && graph.value(v).dynamic_rows)
        return bad_model(
            fmt::format("{}: reads '{}', whose length is known only after running; "
                        "such a result can only be an output",
                        describe(node), graph.value(v).name));
  return {};
}

/// `read` makes the protobuf message; memory that runs out anywhere ends here.
template <class Read>
Result<Graph> import(const Read& read, const std::string& name, const ShapeBindings& shapes,
                     int64_t wanted_batch, const std::string& folder) {
  auto graph = [&]() -> Result<Graph> {
    try {
      Graph built;
      int64_t batch = 1;
      {
        VULTUS_TRY(Model model, read());
        GraphBuilder builder(model, shapes, wanted_batch, folder);
        VULTUS_TRY(built, builder.build());
        batch = builder.batch();
      }
      VULTUS_CHECK(fold_constants(built));
      VULTUS_CHECK(rebatch(built, batch));
      VULTUS_CHECK(check_dynamic_rows(built));
      return built;
    } catch (const std::bad_alloc&) {
      return Error{Errc::out_of_memory, "needs more memory than there is"};
    }
  }();
  if (!graph) return Error{graph.error().code, fmt::format("{}: {}", name, graph.error().what)};
  return graph;
}

}  // namespace

Result<Graph> import_onnx(const std::string& path, const ShapeBindings& shapes, int64_t batch) {
  std::string folder = std::filesystem::path(path).parent_path().string();
  return import([&] { return read_model(path); }, path, shapes, batch,
                folder.empty() ? "." : folder);
}

Result<Graph> import_onnx(std::span<const std::byte> bytes, const std::string& name,
                          const ShapeBindings& shapes, const std::string& folder) {
  return import([&] { return parse_model(bytes); }, name, shapes, 0, folder);
}

}  // namespace vultus
