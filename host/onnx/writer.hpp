#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace onnx {
class ModelProto;
}

namespace vultus {

/// One size of an input or output: fixed, or the name of one that is left open.
using OnnxDim = std::variant<int64_t, std::string>;
using OnnxAttributes = std::map<std::string, Attribute, std::less<>>;

/// Puts an ONNX model together (opset 13) in topological order. A node's first output has the
/// node's name. Mistakes are kept and told by `serialise`.
class OnnxWriter {
 public:
  explicit OnnxWriter(const std::string& graph_name);
  ~OnnxWriter();
  OnnxWriter(const OnnxWriter&) = delete;
  OnnxWriter& operator=(const OnnxWriter&) = delete;

  /// These return `name`.
  std::string input(const std::string& name, const std::vector<OnnxDim>& dims,
                    DType dtype = DType::f32);
  std::string initializer(const std::string& name, const Tensor& tensor);
  /// An input "" is an optional one left out. Further outputs are called "<name>:1", "<name>:2".
  std::string node(const std::string& op, const std::string& name,
                   const std::vector<std::string>& inputs, const OnnxAttributes& attributes = {},
                   size_t outputs = 1);
  void output(const std::string& name, const std::vector<OnnxDim>& dims, DType dtype = DType::f32);
  /// A line of the model's metadata.
  void note(const std::string& key, const std::string& value);

  /// The file's bytes, the same for the same calls. Errc::internal when a value is defined twice or
  /// used before it is defined; bad_model when the file would be over 2 GiB.
  Result<std::string> serialise() const;

 private:
  void define(const std::string& name);
  void use(const std::string& name);

  std::unique_ptr<onnx::ModelProto> model_;
  std::set<std::string> defined_;
  std::string mistake_;  ///< the first
};

}  // namespace vultus
