#include "host/onnx/proto.hpp"

#include <fmt/format.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>

#include "host/onnx/file_source.hpp"
#include "host/onnx/limits.hpp"
#include "host/onnx/scan.hpp"
#include "host/onnx/weights.hpp"

namespace vultus {

namespace {

Error too_large() {
  return bad_model("is over 2 GiB; store its weights as external data");
}

bool is_default_domain(const std::string& domain) {
  return domain.empty() || domain == "ai.onnx";
}

Result<void> check_opset(const onnx::ModelProto& model) {
  int found = 0;
  for (const auto& import : model.opset_import()) {
    if (!is_default_domain(import.domain())) continue;
    if (found++ > 0) return bad_model("declares two versions of the default operator set");
    if (import.version() < kMinOpset || import.version() > kMaxOpset)
      return bad_model(
          fmt::format("uses opset {}; {} to {} are supported (convert it with "
                      "onnx.version_converter)",
                      import.version(), kMinOpset, kMaxOpset));
  }
  if (found == 0)
    return bad_model("declares no version of the default operator set, so it has no meaning");
  return {};
}

Result<void> check_node(const onnx::NodeProto& node) {
  VULTUS_CHECK(check_name(node.name(), "node"));
  VULTUS_CHECK(check_name(node.op_type(), "operator"));
  VULTUS_CHECK(check_name(node.domain(), "operator domain"));
  if (node.op_type().empty())
    return bad_model(fmt::format("node '{}' names no operator", node.name()));
  if (!is_default_domain(node.domain()))
    return bad_model(fmt::format(
        "node '{}' is a {} of the custom domain '{}'; only the default domain is supported",
        node.name(), node.op_type(), node.domain()));
  return {};
}

Result<void> check_model(const onnx::ModelProto& model) {
  if (!model.has_graph()) return bad_model("is not an ONNX model: it holds no graph");
  VULTUS_CHECK(check_opset(model));
  if (model.functions_size() > 0)
    return bad_model(fmt::format("defines {} functions of its own; inline them before export",
                                 model.functions_size()));
  const onnx::GraphProto& graph = model.graph();
  VULTUS_CHECK(check_name(graph.name(), "graph"));
  if (graph.sparse_initializer_size() > 0)
    return bad_model("holds sparse initialisers, which are not supported; store them dense");
  if (graph.quantization_annotation_size() > 0)
    return bad_model("is quantised (it holds quantisation annotations); export it in float32");
  if (graph.node_size() > kMaxNodes)
    return bad_model(
        fmt::format("has {} nodes; at most {} are accepted", graph.node_size(), kMaxNodes));
  if (graph.initializer_size() > kMaxInitializers)
    return bad_model(fmt::format("has {} initialisers; at most {} are accepted",
                                 graph.initializer_size(), kMaxInitializers));
  if (graph.input_size() > kMaxInputsAndOutputs || graph.output_size() > kMaxInputsAndOutputs)
    return bad_model(fmt::format("has {} inputs and {} outputs; at most {} are accepted",
                                 graph.input_size(), graph.output_size(), kMaxInputsAndOutputs));
  for (const auto& node : graph.node())
    VULTUS_CHECK(check_node(node));
  return {};
}

class Memory : public ByteSource {
 public:
  explicit Memory(std::span<const std::byte> bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  bool read(uint64_t offset, std::span<std::byte> out) const override {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return false;
    std::ranges::copy(bytes_.subspan(offset, out.size()), out.begin());
    return true;
  }
  google::protobuf::io::ArrayInputStream from_beginning() const {
    return {bytes_.data(), static_cast<int>(bytes_.size())};
  }

 private:
  std::span<const std::byte> bytes_;
};

template <class Source>
Result<Model> parse(std::unique_ptr<Source> source) {
  google::protobuf::LogSilencer silence;
  {
    auto stream = source->from_beginning();
    VULTUS_CHECK(check_message_count(stream, MessageKind::model));
  }
  Model model;
  bool parsed = false;
  if (auto without = take_weights_out(*source)) {
    parsed = model.proto.ParseFromString(without->bytes);
    model.raw = std::move(without->raw);
  } else {
    auto stream = source->from_beginning();
    parsed = model.proto.ParseFromZeroCopyStream(&stream);
  }
  if (!parsed) return bad_model("is not an ONNX model, or is damaged or cut off");
  VULTUS_CHECK(check_model(model.proto));
  model.raw.resize(static_cast<size_t>(model.proto.graph().initializer_size()));
  model.source = std::move(source);
  return model;
}

}  // namespace

Error bad_model(std::string what) {
  return {Errc::bad_model, std::move(what)};
}

Result<void> check_name(const std::string& name, const char* what) {
  auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  bool control = std::any_of(name.begin(), name.end(), is_control);
  if (name.size() <= kMaxNameBytes && !control) return {};
  std::string shown = name.substr(0, 64);
  std::replace_if(shown.begin(), shown.end(), is_control, '?');
  return bad_model(
      control ? fmt::format("the {} name '{}' holds control characters", what, shown)
              : fmt::format("the {} name '{}...' is {} bytes long; at most {} are accepted", what,
                            shown, name.size(), kMaxNameBytes));
}

int opset_of(const onnx::ModelProto& model) {
  for (const auto& import : model.opset_import())
    if (is_default_domain(import.domain())) return static_cast<int>(import.version());
  return 0;
}

Result<Model> read_model(const std::string& path) {
  auto file = std::make_unique<FileSource>(path);
  VULTUS_CHECK(file->check());
  if (file->size() > static_cast<uint64_t>(kMaxModelBytes)) return too_large();
  return parse(std::move(file));
}

Result<Model> parse_model(std::span<const std::byte> bytes) {
  if (bytes.size() > static_cast<size_t>(kMaxModelBytes)) return too_large();
  return parse(std::make_unique<Memory>(bytes));
}

}  // namespace vultus
