#pragma once

#include "host/graph/graph.hpp"

namespace vultus {

/// Made-up data for an input of the graph, the same at every call: seeded uniform values in -1..1
/// for float32; what CropWarp reads is a picture of noise, the size of one that fits it, rectangles
/// inside and lines through their middles; zeros for other types.
Tensor random_input(const Graph& graph, ValueId input);

}  // namespace vultus
