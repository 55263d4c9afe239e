#include "gpu/conv_timer.hpp"
#include "gpu/partition.hpp"

// How a partition finds its fastest kernels.

namespace vultus::gpu {

namespace {

// 1/16 twice in fp16, and a normal number in fp32: sums of it take no longer than real ones.
constexpr uint32_t kOrdinary = 0x2c002c00u;

}  // namespace

Result<ConvTactic> VulkanPartition::fastest(Kernels& kernels, const Dispatch& dispatch,
                                            const Choice& choice) {
  std::vector<VkDescriptorBufferInfo> buffers;
  for (const Binding& binding : dispatch.bindings)
    buffers.push_back(described(binding.buffer));
  ConvTimer timer(context_, kernels, std::move(buffers));
  VULTUS_TRY(std::optional<size_t> found, timer.faster(dispatch, choice.others));
  return found ? choice.others[*found].tactic : choice.rule;
}

Result<void> VulkanPartition::use(Kernels& kernels, size_t i, const ConvTactic& tactic) {
  Dispatch& dispatch = recording_.dispatches[i];
  Choice& choice = recording_.choices[static_cast<size_t>(dispatch.choice)];
  choice.timed = true;
  choice.used = tactic;
  for (Choice::Alternative& other : choice.others) {
    if (other.tactic != tactic) continue;
    VULTUS_TRY(kernels_[i], kernels.get(other.dispatch));
    other.dispatch.node = dispatch.node;
    other.dispatch.choice = dispatch.choice;
    dispatch = std::move(other.dispatch);
    break;
  }
  choice.others.clear();
  return {};
}

Result<void> VulkanPartition::tune(Kernels& kernels, ConvTimings& timings) {
  ConvTactics fresh;
  for (size_t i = 0; i < recording_.dispatches.size(); ++i) {
    const Dispatch& dispatch = recording_.dispatches[i];
    if (dispatch.choice < 0) continue;
    const Choice& choice = recording_.choices[static_cast<size_t>(dispatch.choice)];
    if (choice.others.empty()) continue;
    if (fresh.empty()) VULTUS_CHECK(fill_arena(kOrdinary));
    auto found = fresh.find(choice.key);
    if (found == fresh.end()) {
      VULTUS_TRY(ConvTactic tactic, fastest(kernels, dispatch, choice));
      found = fresh.emplace(choice.key, tactic).first;
    }
    VULTUS_CHECK(use(kernels, i, found->second));
  }
  if (!fresh.empty()) timings.keep(fresh);
  return {};
}

}  // namespace vultus::gpu
