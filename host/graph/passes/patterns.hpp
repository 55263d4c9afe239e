#pragma once

#include "host/graph/graph.hpp"

namespace vultus {

/// Einsum that is a transposition, a product element by element or a (batched) matrix product ->
/// Transpose, Mul, MatMul. Returns how many.
int recognise_einsums(Graph& graph);

/// Squeeze, Unsqueeze, Flatten -> Reshape; Gather of one constant position -> Slice and Reshape.
/// Returns how many.
int recognise_reshapes(Graph& graph);

/// ReduceSum(x * x) -> ReduceSumSquare(x), its Sqrt -> ReduceL2. Returns how many. Leaves the graph
/// compacted.
int recognise_reductions(Graph& graph);

/// Add(MatMul(x, constant matrix), constant per column) -> Gemm; MatMul(x, Transpose(y)) -> MatMul
/// with `transB`. Returns how many. Leaves the graph compacted.
int recognise_linears(Graph& graph);

}  // namespace vultus
