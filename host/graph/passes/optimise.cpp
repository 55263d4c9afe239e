#include <algorithm>

#include "host/graph/passes/passes.hpp"

namespace vultus {

namespace {

// Each round either shrinks the graph or is the last; real networks need two or three.
constexpr int kMaxRounds = 16;

struct Pass {
  std::string_view what;  ///< of the places it changes, for reports
  Result<int> (*run)(Graph&);
};

/// Repeated until nothing changes.
constexpr Pass kRewrites[] = {
    {"constants", fold_constants},
    {"identities", remove_identities},
    {"patterns", recognise_patterns},
    {"batch norms into weights", fold_batch_norm},
};

/// Once. Residuals first: a convolution adds before it activates. What is added after an activation
/// comes when the activations are in place, and second outputs when all before them is.
constexpr Pass kFusions[] = {
    {"residual additions", fuse_residuals},
    {"repeated additions", fuse_addends},
    {"activations before concatenations", hoist_activations},
    {"activations", fuse_activations},
    {"repeated additions", fuse_addends},
    {"merged convolutions", merge_convolutions},
    {"constant channels as maps", fuse_constant_channels},
    {"merged linears", merge_linears},
    {"squeeze-and-excitations", fuse_squeeze_excite},
    {"channel scales", fuse_channel_scales},
    {"second outputs", fuse_second_outputs},
    {"element-wise chains", fuse_pointwise},  // what is left over
};

Result<int> apply(const Pass& pass, Graph& graph, PassReport& report) {
  VULTUS_TRY(int places, pass.run(graph));
  if (places == 0) return 0;
  auto known = std::find_if(report.begin(), report.end(),
                            [&](const PassCount& count) { return count.what == pass.what; });
  if (known == report.end())
    report.push_back({pass.what, places});
  else
    known->places += places;
  return places;
}

}  // namespace

Result<PassReport> optimise(Graph& graph, bool fuse) {
  PassReport report;
  for (int round = 0; round < kMaxRounds; ++round) {
    int changed = 0;
    for (const Pass& pass : kRewrites) {
      VULTUS_TRY(int places, apply(pass, graph, report));
      changed += places;
    }
    if (changed == 0) break;
  }
  if (!fuse) return report;
  for (const Pass& pass : kFusions)
    VULTUS_CHECK(apply(pass, graph, report));
  return report;
}

}  // namespace vultus
