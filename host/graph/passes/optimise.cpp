#include "host/graph/passes/passes.hpp"

namespace vultus {

namespace {

// Each round either shrinks the graph or is the last; real networks need two or three.
constexpr int kMaxRounds = 16;

}  // namespace

Result<void> optimise(Graph& graph) {
  for (int round = 0; round < kMaxRounds; ++round) {
    int changed = 0;
    for (auto* pass : {fold_constants, remove_identities, recognise_patterns, fold_batch_norm}) {
      VULTUS_TRY(int places, pass(graph));
      changed += places;
    }
    if (changed == 0) break;
  }
  // Residuals first: a convolution adds before it activates. An activation that stands between the
  // two keeps them apart, as its reader is then not the Add.
  VULTUS_CHECK(fuse_residuals(graph));
  VULTUS_CHECK(hoist_activations(graph));
  VULTUS_CHECK(fuse_activations(graph));
  VULTUS_CHECK(merge_convolutions(graph));
  VULTUS_CHECK(merge_linears(graph));
  VULTUS_CHECK(fuse_squeeze_excite(graph));
  VULTUS_CHECK(fuse_channel_scales(graph));
  VULTUS_CHECK(fuse_pointwise(graph));  // what is left over
  return {};
}

}  // namespace vultus
