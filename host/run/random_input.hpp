#pragma once

#include "host/graph/graph.hpp"

namespace vultus {

/// Seeded uniform values in -1..1 for a float32 input, the same at every call; zeros for others.
Tensor random_input(const Value& value);

}  // namespace vultus
