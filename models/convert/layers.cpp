#include "models/convert/layers.hpp"

namespace vultus::convert {

using Ints = std::vector<int64_t>;

std::string Layers::conv(const std::string& name, const std::string& x, const ConvShape& shape) {
  const int64_t k = shape.kernel, pad = (k - 1) / 2;
  std::vector<std::string> inputs{
      x, parameter(name + ".weight", {shape.out, shape.in / shape.groups, k, k})};
  if (shape.bias) inputs.push_back(parameter(name + ".bias", {shape.out}));
  return node("Conv", name, inputs,
              {{"kernel_shape", Ints{k, k}},
               {"strides", Ints{shape.stride, shape.stride}},
               {"pads", shape.pads.empty() ? Ints{pad, pad, pad, pad} : shape.pads},
               {"group", shape.groups}});
}

std::string Layers::batch_norm(const std::string& name, const std::string& x, int64_t channels,
                               float epsilon) {
  std::vector<std::string> inputs{x};
  for (const char* part : {".weight", ".bias"})
    inputs.push_back(parameter(name + part, {channels}));
  for (const char* part : {".running_mean", ".running_var"})
    inputs.push_back(parameter(name + part, {channels}, false));
  weights_.skip(name + ".num_batches_tracked");
  return node("BatchNormalization", name, inputs, {{"epsilon", epsilon}});
}

std::string Layers::linear(const std::string& name, const std::string& x, int64_t in, int64_t out) {
  return node("Gemm", name,
              {x, parameter(name + ".weight", {out, in}), parameter(name + ".bias", {out})},
              {{"transB", int64_t{1}}});
}

std::string Layers::integers(const std::string& name, const Ints& values) {
  return network_.initializer(name, Tensor::of<int64_t>({static_cast<int64_t>(values.size())},
                                                        std::span<const int64_t>(values)));
}

std::string Layers::numbers(const std::string& name, const Shape& shape,
                            const std::vector<float>& values) {
  return network_.initializer(name, Tensor::of<float>(shape, std::span<const float>(values)));
}

std::string Layers::resize_like(const std::string& name, const std::string& x,
                                const std::string& like) {
  const std::string zero = integers(name + ".0", {0}), two = integers(name + ".2", {2}),
                    four = integers(name + ".4", {4});
  const std::string own = node("Shape", name + ".own", {x}),
                    wanted = node("Shape", name + ".wanted", {like}),
                    outer = node("Slice", name + ".outer", {own, zero, two}),
                    inner = node("Slice", name + ".inner", {wanted, two, four}),
                    sizes = node("Concat", name + ".sizes", {outer, inner}, {{"axis", int64_t{0}}});
  return node("Resize", name, {x, "", "", sizes},
              {{"mode", std::string("nearest")},
               {"coordinate_transformation_mode", std::string("asymmetric")},
               {"nearest_mode", std::string("floor")}});
}

}  // namespace vultus::convert
