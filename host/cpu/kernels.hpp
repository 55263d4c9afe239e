#pragma once

#include <optional>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus::cpu {

class Builder;

/// `Op::build` of the operators that the CPU device runs on oneDNN or on kernels of its own for
/// blocked layouts. Each adds its node's steps to the builder; where a case is not covered it falls
/// back to the operator's plain kernel.

Result<void> build_batch_norm(Builder& builder, NodeId node);
Result<void> build_binary(Builder& builder, NodeId node);  ///< Add, Sub, Mul, Div, Max, Min
Result<void> build_concat(Builder& builder, NodeId node);
Result<void> build_conv(Builder& builder, NodeId node);
Result<void> build_conv_transpose(Builder& builder, NodeId node);
Result<void> build_gemm(Builder& builder, NodeId node);
Result<void> build_global_average_pool(Builder& builder, NodeId node);
Result<void> build_instance_norm(Builder& builder, NodeId node);
Result<void> build_matmul(Builder& builder, NodeId node);
Result<void> build_pointwise(Builder& builder, NodeId node);
Result<void> build_pool(Builder& builder, NodeId node);     ///< MaxPool, AveragePool
Result<void> build_reshape(Builder& builder, NodeId node);  ///< and Flatten, Squeeze, Unsqueeze
Result<void> build_resize(Builder& builder, NodeId node);
Result<void> build_slice(Builder& builder, NodeId node);
Result<void> build_softmax(Builder& builder, NodeId node);
Result<void> build_squeeze_excite(Builder& builder, NodeId node);
Result<void> build_transpose(Builder& builder, NodeId node);
Result<void> build_unary(Builder& builder, NodeId node);  ///< what `as_epilogue` knows

/// A convolution of images with constant weights and nothing in its epilogue but an activation that
/// our own kernels know.
bool has_simple_epilogue(const Graph& graph, const Node& node);

/// Whether our kernel for images of a few channels computes a node, and its steps.
bool fits_stem(const Builder& builder, const Node& node);
void build_stem(Builder& builder, NodeId node);

/// The depthwise convolution that our kernel computes in one step with this 1x1 convolution, and
/// that step.
std::optional<NodeId> separable_partner(const Builder& builder, const Node& node);
void build_separable(Builder& builder, NodeId first, NodeId second);

/// Whether a node is a convolution for the Winograd algorithm F(4x4, 3x3): 3x3, stride 1, dense,
/// channels that fill blocks of 16.
bool fits_winograd(const Graph& graph, const Node& node);
/// Whether that is the faster way, by rule.
bool prefers_winograd(const Graph& graph, const Node& node);

}  // namespace vultus::cpu
