#include "host/ops/retinaface_decode.hpp"

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct CandidatesPush {
  uint32_t priors, height, width;
  float threshold, rest;  ///< of the score; 1 - threshold
};
struct SuppressPush {
  uint32_t groups, height, width, most;
  float threshold;
};

constexpr uint32_t kGroup = 256;  // priors of a workgroup

void build(Builder& b, const Node& node) {
  const RetinaFaceDecode d = retinaface_decode_of(node).value();  // inference has accepted the node
  TensorRef loc = b.input(node.inputs[0], Layout::linear);
  TensorRef conf = b.input(node.inputs[1], Layout::linear);
  TensorRef landms = b.input(node.inputs[2], Layout::linear);
  const std::optional<TensorRef> for_host = b.host_output(node.outputs[0]);
  TensorRef out = for_host ? *for_host : b.output(node.outputs[0], Layout::linear);
  const bool is_float32 = for_host || b.precision() == Precision::fp32;
  const auto priors = static_cast<uint32_t>(loc.shape[1]);
  const uint32_t groups = (priors + kGroup - 1) / kGroup;
  auto words = [&](uint64_t n) { return b.scratch(n * 4); };
  BufferId found = words(uint64_t{groups} * kGroup), counts = words(groups);
  BufferId boxes = words(uint64_t{priors} * 4), keys = words(uint64_t{priors} * 2);
  BufferId numbers = words(priors);
  const auto height = static_cast<uint32_t>(d.height), width = static_cast<uint32_t>(d.width);
  b.dispatch("retinaface_candidates", {},
             CandidatesPush{priors, height, width, d.score_threshold, 1 - d.score_threshold},
             {reads(loc), reads(conf), {found, Access::write}, {counts, Access::write}},
             {groups * kGroup, 1, 1});
  // What the second writes into the lists it reads back itself.
  b.dispatch("retinaface_suppress", {is_float32 ? 1u : 0u},
             SuppressPush{groups, height, width, static_cast<uint32_t>(d.most), d.nms_threshold},
             {reads(loc),
              reads(conf),
              reads(landms),
              {found, Access::read},
              {counts, Access::read},
              {boxes, Access::write},
              {keys, Access::write},
              {numbers, Access::write},
              writes(out)},
             {kGroup, 1, 1});
}

Support supports(const Graph&, const Node&, const Caps& caps) {
  if (caps.max_invocations < kGroup)
    return Support::no("RetinaFaceDecode: the device has no workgroups of 256");
  return Support::yes();
}

const RegisterGpu retinaface_decode({"RetinaFaceDecode", supports, build, false, true});

}  // namespace
}  // namespace vultus::gpu
