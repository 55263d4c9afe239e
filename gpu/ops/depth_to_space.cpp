#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

Support supports(const Graph& graph, const Node& node, const Caps&) {
  return plain_tensors(graph, node, false);
}

void build(Builder& b, const Node& node) {
  TensorRef in = as_it_lies(b, node.inputs[0]);
  TensorRef out = b.output(node.outputs[0], in.layout);
  std::vector<int64_t> from = strides_of(in), to = strides_of(out);
  int64_t block = node.integer("blocksize", 1), channels = out.shape[1];
  // An input channel is (block row, block column, channel), or with CRD (channel, row, column).
  bool crd = node.text("mode", "DCR") == "CRD";
  int64_t per_channel = crd ? block * block : 1;
  int64_t per_column = crd ? 1 : channels;
  Level n{in.shape[0], {from[0], to[0]}};
  Level h{in.shape[2], {from[2], block * to[2]}};
  Level row{block, {block * per_column * from[1], to[2]}};
  Level w{in.shape[3], {from[3], block * to[3]}};
  Level column{block, {per_column * from[1], to[3]}};
  Level c{channels, {per_channel * from[1], to[1]}};
  Copy what;
  if (out.layout == Layout::nhwc8) {
    c.size = stored_channels(out);
    what.valid = channels;
    what.levels = {n, h, row, w, column, c};
  } else {
    what.levels = {n, c, h, row, w, column};
  }
  copy(b, in, out, what);
}

const RegisterGpu depth_to_space({"DepthToSpace", supports, build});

}  // namespace
}  // namespace vultus::gpu
