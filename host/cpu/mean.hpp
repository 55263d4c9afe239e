#pragma once

#include "host/cpu/builder.hpp"

namespace vultus::cpu {

/// Means over the points of a tensor, in pieces that may be computed side by side. The results lie
/// as [batch][groups][block].
int64_t mean_pieces(const Arrangement& a);
void mean_of_piece(const float* in, const Arrangement& a, int64_t piece, float* out);

}  // namespace vultus::cpu
