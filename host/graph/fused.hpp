#pragma once

#include <optional>
#include <vector>

#include "host/graph/activation.hpp"

namespace vultus {

/// How the addend of a convolution (its input 4) covers the output [N,C,H,W]: it is
/// [N or 1, C, H / factor_h, W / factor_w], each element repeated factor_h x factor_w times.
struct AddendFit {
  int64_t factor_h = 1, factor_w = 1;
  bool shared = false;  ///< one map for all images of a batch
};
/// Nothing when the shapes do not fit so.
std::optional<AddendFit> fit_addend(const Shape& addend, const Shape& out);
/// Whether a node adds its addend after its activation: attribute `addend_last`.
bool adds_last(const Node& node);

/// What a node's second output is: epilogue(scale[c] * y + shift[c]) of its first output y, before
/// y is rounded for storing. Attributes `second_scale`, `second_shift`, `second_activation`,
/// `second_alpha`, `second_beta`.
struct SecondOutput {
  std::vector<float> scale, shift;  ///< per channel (axis 1)
  Epilogue epilogue;
};
bool has_second_output(const Node& node);
SecondOutput second_output_of(const Node& node);
void set_second_output(Node& node, const SecondOutput& second);

}  // namespace vultus
