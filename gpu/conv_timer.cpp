#include "gpu/conv_timer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/core/stopwatch.hpp"

namespace vultus::gpu {

namespace {

constexpr double kLeastMs = 2;  // of one measurement, far above what a submission costs
constexpr uint32_t kMostRepeats = 256;
constexpr int kTries = 4;
// Of the last comparison, in turns. On a busy machine the shortest times alone are chance.
constexpr int kRounds = 12, kRoundsToWin = 9;
constexpr double kHopeless = 1.2;   // times the best so far: not tried again
constexpr double kGain = 0.97;      // of the rule's time, at most: noise is no reason to leave it
constexpr double kBudgetMs = 1500;  // of one convolution

}  // namespace

Result<ConvTimer::Contender> ConvTimer::prepare(const Dispatch& dispatch, const Kernel& kernel,
                                                uint32_t repeats) {
  Contender made;
  const Vulkan& vk = context_.vk();
  const Descriptors::Set set{kernel.set_layout, buffers_};
  VULTUS_TRY(made.descriptors, Descriptors::create(context_, {&set, 1}));
  VULTUS_TRY(made.commands, Commands::create(context_));
  VULTUS_TRY(VkCommandBuffer buffer, made.commands->begin());
  vk.vkCmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
  vk.vkCmdBindDescriptorSets(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1,
                             &(*made.descriptors)[0], 0, nullptr);
  vk.vkCmdPushConstants(buffer, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, kernel.push_bytes,
                        dispatch.push.data());
  auto groups = [&](size_t axis) {
    return (dispatch.threads[axis] + kernel.local_size[axis] - 1) / kernel.local_size[axis];
  };
  // One after the other, as dispatches of a network that need each other's results.
  for (uint32_t i = 0; i < repeats; ++i) {
    memory_barrier(vk, buffer, kCompute, kShaderAccess, kCompute, kShaderAccess);
    vk.vkCmdDispatch(buffer, groups(0), groups(1), groups(2));
  }
  VULTUS_CHECK(made.commands->end());
  made.best_ms = std::numeric_limits<double>::infinity();
  return made;
}

Result<double> ConvTimer::time(Contender& contender) {
  Stopwatch watch;
  VULTUS_CHECK(contender.commands->submit());
  VULTUS_CHECK(contender.commands->wait());
  const double ms = watch.lap_ms();
  contender.best_ms = std::min(contender.best_ms, ms);
  spent_ms_ += ms;
  return ms;
}

Result<void> ConvTimer::time(Contender& contender, int times) {
  for (int i = 0; i < times; ++i)
    VULTUS_CHECK(time(contender));
  return {};
}

Result<bool> ConvTimer::wins(Contender& challenger, Contender& ruling) {
  int won = 0;
  for (int i = 0; i < kRounds; ++i) {
    VULTUS_TRY(const double rule_ms, time(ruling));
    VULTUS_TRY(const double ms, time(challenger));
    won += ms < rule_ms;
    if (challenger.best_ms > kGain * ruling.best_ms) return false;
  }
  return won >= kRoundsToWin;
}

Result<uint32_t> ConvTimer::repeats_of(const Dispatch& rule, const Kernel& kernel) {
  VULTUS_TRY(Contender once, prepare(rule, kernel, 1));
  VULTUS_CHECK(time(once, 2));  // some drivers compile in the first
  const double wanted = std::ceil(kLeastMs / std::max(once.best_ms, 1e-3));
  return static_cast<uint32_t>(std::min<double>(wanted, kMostRepeats));
}

Result<std::optional<size_t>> ConvTimer::faster(const Dispatch& rule,
                                                const std::vector<Choice::Alternative>& others) {
  VULTUS_TRY(const Kernel* kernel, kernels_.get(rule));
  VULTUS_TRY(const uint32_t repeats, repeats_of(rule, *kernel));
  VULTUS_TRY(Contender ruling, prepare(rule, *kernel, repeats));
  VULTUS_CHECK(time(ruling, kTries));
  std::optional<Contender> best;
  std::optional<size_t> found;
  for (size_t i = 0; i < others.size() && spent_ms_ < kBudgetMs; ++i) {
    const Dispatch& dispatch = others[i].dispatch;
    auto compiled = kernels_.get(dispatch);
    if (!compiled) continue;
    VULTUS_TRY(Contender contender, prepare(dispatch, **compiled, repeats));
    VULTUS_CHECK(time(contender, 1));
    contender.best_ms = std::numeric_limits<double>::infinity();  // it may have compiled
    VULTUS_CHECK(time(contender, 2));
    const double to_beat = best ? best->best_ms : ruling.best_ms;
    if (contender.best_ms > kHopeless * to_beat) continue;
    VULTUS_CHECK(time(contender, kTries - 2));
    if (contender.best_ms >= to_beat) continue;
    best = std::move(contender);
    found = i;
  }
  if (!found) return found;
  VULTUS_TRY(const bool won, wins(*best, ruling));
  return won ? found : std::nullopt;
}

}  // namespace vultus::gpu
