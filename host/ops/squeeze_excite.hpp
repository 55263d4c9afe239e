#pragma once

#include "host/graph/activation.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// SqueezeExcite: the channel gate of Hu et al. 2018 without its multiplication. Inputs x
/// [N,C,H,W], squeeze weights [S,C,1,1] and bias [S], excite weights [C,S,1,1] and bias [C] (either
/// bias may be absent); result [N,C,1,1] = gate(excite * act(squeeze * mean over H and W of x)).
/// The gate is the node's epilogue; the activation between is stored beside it.
inline Epilogue squeeze_epilogue_of(const Node& node) {
  return {static_cast<Activation>(node.integer("squeeze_activation", 0)),
          node.real("squeeze_alpha", 0), node.real("squeeze_beta", 0)};
}
inline void set_squeeze_epilogue(Node& node, const Epilogue& epilogue) {
  node.attributes["squeeze_activation"] = static_cast<int64_t>(epilogue.kind);
  node.attributes["squeeze_alpha"] = epilogue.alpha;
  node.attributes["squeeze_beta"] = epilogue.beta;
}

}  // namespace vultus
