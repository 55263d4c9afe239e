#pragma once

#include <string>
#include <vector>

#include "host/onnx/writer.hpp"
#include "models/convert/parameters.hpp"

namespace vultus::convert {

struct ConvShape {
  int64_t in = 0, out = 0;
  int64_t kernel = 1, stride = 1, groups = 1;
  bool bias = false;
  /// Top, left, bottom, right; where empty, (kernel - 1) / 2 on every side.
  std::vector<int64_t> pads = {};
};

/// Writes layers whose weights have the layers' names: layer "a.b" takes "a.b.weight". Each returns
/// the name of its result.
class Layers {
 public:
  Layers(OnnxWriter& network, Parameters& weights) : network_(network), weights_(weights) {}

  OnnxWriter& network() { return network_; }
  Parameters& weights() { return weights_; }

  /// A node without weights, called `name`.
  std::string node(const std::string& op, const std::string& name,
                   const std::vector<std::string>& inputs, const OnnxAttributes& attributes = {}) {
    return network_.node(op, name, inputs, attributes);
  }
  std::string conv(const std::string& name, const std::string& x, const ConvShape& shape);
  /// Inference, with the running statistics.
  std::string batch_norm(const std::string& name, const std::string& x, int64_t channels,
                         float epsilon);
  /// x [N, in] -> [N, out].
  std::string linear(const std::string& name, const std::string& x, int64_t in, int64_t out);
  std::string integers(const std::string& name, const std::vector<int64_t>& values);
  std::string numbers(const std::string& name, const Shape& shape,
                      const std::vector<float>& values);
  /// Nearest neighbour (source = floor(target * in / out)) to the height and width of `like`.
  std::string resize_like(const std::string& name, const std::string& x, const std::string& like);
  /// A tensor of the checkpoint; `trained` as in `Parameters::take`.
  std::string parameter(const std::string& name, const Shape& shape, bool trained = true) {
    return network_.initializer(name, weights_.take(name, shape, trained));
  }

 private:
  OnnxWriter& network_;
  Parameters& weights_;
};

}  // namespace vultus::convert
