#include "host/onnx/proto.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <google/protobuf/stubs/logging.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

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

class File {
 public:
  // Non-blocking, so that a named pipe does not hang before it is refused.
  explicit File(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  Result<void> check() const {
    if (descriptor_ < 0) return bad_model("cannot be opened; check the path and its permissions");
    struct stat status;
    if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode))
      return bad_model("is not a file");
    if (status.st_size > kMaxModelBytes) return too_large();
    return {};
  }
  /// All of it. What grows meanwhile is left out; what shrinks is an error.
  Result<Tensor> bytes() const {
    struct stat status;
    if (fstat(descriptor_, &status) != 0 || status.st_size > kMaxModelBytes) return too_large();
    Tensor all = Tensor::uninitialised(DType::u8, {static_cast<int64_t>(status.st_size)});
    for (size_t done = 0; done < all.size_bytes();) {
      const ssize_t got = ::read(descriptor_, all.bytes() + done, all.size_bytes() - done);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return bad_model("cannot be read to its end");
      done += static_cast<size_t>(got);
    }
    return all;
  }

 private:
  int descriptor_;
};

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
  File file(path);
  VULTUS_CHECK(file.check());
  VULTUS_TRY(Tensor bytes, file.bytes());
  VULTUS_TRY(Model model, parse_model({bytes.bytes(), bytes.size_bytes()}));
  model.file = std::move(bytes);
  return model;
}

Result<Model> parse_model(std::span<const std::byte> bytes) {
  using google::protobuf::io::ArrayInputStream;
  if (bytes.size() > static_cast<size_t>(kMaxModelBytes)) return too_large();
  google::protobuf::LogSilencer silence;
  {
    ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
    VULTUS_CHECK(check_message_count(stream));
  }
  Model model;
  auto without = take_weights_out(bytes);
  ArrayInputStream stream(without ? static_cast<const void*>(without->bytes.data()) : bytes.data(),
                          static_cast<int>(without ? without->bytes.size() : bytes.size()));
  if (!model.proto.ParseFromZeroCopyStream(&stream))
    return bad_model("is not an ONNX model, or is damaged or cut off");
  if (without) model.raw = std::move(without->raw);
  VULTUS_CHECK(check_model(model.proto));
  return model;
}

}  // namespace vultus
