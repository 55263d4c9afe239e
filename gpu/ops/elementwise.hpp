#pragma once

#include <string>
#include <vector>

#include "gpu/builder.hpp"

namespace vultus::gpu {

/// A broadcasting kernel of two or three operands (shaders/common/elementwise.glsl). `spec` are its
/// own specialisation constants; the first, whether a thread takes 8 elements, is put before them.
struct Elementwise {
  std::string kernel;
  std::vector<uint32_t> spec;
  float alpha = 0;
  float beta = 0;
};
/// Chooses the layout, broadcasts the inputs to the first output and dispatches. One dispatch,
/// besides relayouts.
void elementwise(Builder& b, const Node& node, const Elementwise& what);

/// Whether operands and result can be walked with the levels a kernel has.
Support broadcasts(const Graph& graph, const Node& node);

}  // namespace vultus::gpu
