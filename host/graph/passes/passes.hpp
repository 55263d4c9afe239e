#pragma once

#include <string_view>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// Each pass keeps the graph's meaning (within fp32 rounding), its input and output names, and
/// leaves it compacted. One file each in host/graph/passes. They return how many places they
/// changed.

/// Infers every node in order and runs those whose inputs are all constant, and Shape/Size of
/// static shapes, on the host, so that the next node's inference sees their results. The importer
/// ends with it.
Result<int> fold_constants(Graph& graph);
/// Identity, Dropout, Cast to the same type, Reshape/Pad/Slice/Expand/Tile that change nothing, and
/// the like.
Result<int> remove_identities(Graph& graph);
/// BatchNormalization after Conv, Gemm or ConvTranspose into their weights; also per-channel
/// Mul/Add by constants.
Result<int> fold_batch_norm(Graph& graph);
/// x * Sigmoid(x) -> Silu(x); ReduceMean over H and W -> GlobalAveragePool; Pad of zeros into the
/// Conv or pool that follows; plain Einsums -> Transpose, Mul, MatMul; Squeeze, Unsqueeze, Flatten
/// and Gather of one position -> Slice and Reshape; MatMul and a bias -> Gemm; Transpose into
/// MatMul; sums of squares.
Result<int> recognise_patterns(Graph& graph);
/// Activations (host/graph/activation.hpp) after Conv, Gemm, Add or BatchNormalization become their
/// epilogue.
Result<int> fuse_activations(Graph& graph);
/// Activation(Concat(a, b)) where only the Concat reads a and b -> the epilogues of the nodes that
/// compute them.
Result<int> hoist_activations(Graph& graph);
/// Add(Conv(x), y) with equal shapes -> Conv with y as its fourth input, added before the
/// activation.
Result<int> fuse_residuals(Graph& graph);
/// Add(Conv(x), y) -> Conv with y as its fifth input (host/graph/fused.hpp), where y is enlarged by
/// repeating elements, or the residual's place is taken, or an activation stands between: then it
/// is added after that.
Result<int> fuse_addends(Graph& graph);
/// BatchNormalization of what a Conv, MaxPool or AveragePool makes, with its activation -> second
/// output of that node. Others go on reading the first.
Result<int> fuse_second_outputs(Graph& graph);
/// Concat of Gemms of one input, side by side -> one Gemm and a Reshape.
Result<int> merge_linears(Graph& graph);
/// GlobalAveragePool, Conv, Conv on one pixel -> SqueezeExcite (host/ops/squeeze_excite.hpp).
Result<int> fuse_squeeze_excite(Graph& graph);
/// Conv(Mul(x, scale [N,C,1,1])) with 1x1 weights -> Conv with the scale as its sixth input, by
/// which it multiplies x.
Result<int> fuse_channel_scales(Graph& graph);
/// Conv(Concat(x, constants)) -> Conv(x) and a constant map, what the convolution makes of the
/// constants, as its fourth or fifth input; where the map costs less than it saves.
Result<int> fuse_constant_channels(Graph& graph);

/// Connected element-wise nodes of one shape -> Pointwise (host/ops/pointwise_program.hpp).
Result<int> fuse_pointwise(Graph& graph);
/// Siblings (convolutions of one input with equal windows and activations) -> one with the outputs
/// of all: where their results are only reshaped, by way of Slice; where the results of the two
/// convolutions that read them are added, together with those, which become one as well.
Result<int> merge_convolutions(Graph& graph);
/// Gives a network that was exported for one sample at a time another batch: every input and every
/// result grows along axis 0. Errc::usage, naming the node, where samples might mix or a size
/// cannot follow. For freshly imported graphs, before the other passes.
Result<void> rebatch(Graph& graph, int64_t batch);

/// How many places one pass has changed, and what they are: {"residual additions", 40}.
struct PassCount {
  std::string_view what;
  int places = 0;
};
/// In the order of the passes, without those that changed nothing.
using PassReport = std::vector<PassCount>;

/// All of them in the order that works, until nothing changes. Without `fuse` those that join
/// layers are left out.
Result<PassReport> optimise(Graph& graph, bool fuse = true);

}  // namespace vultus
