#pragma once

#include "gpu/commands.hpp"
#include "gpu/descriptors.hpp"
#include "gpu/kernel.hpp"
#include "gpu/recording.hpp"

namespace vultus::gpu {

/// Times the tactics of one convolution against each other, on the device and on its real memory.
class ConvTimer {
 public:
  /// `buffers`: what its dispatches bind. What they write is overwritten.
  ConvTimer(const Context& context, Kernels& kernels, std::vector<VkDescriptorBufferInfo> buffers)
      : context_(context), kernels_(kernels), buffers_(std::move(buffers)) {}

  /// The index of the fastest alternative, or nothing when none is clearly faster than `rule`.
  /// Tactics that do not compile are passed over; fails when the device does.
  Result<std::optional<size_t>> faster(const Dispatch& rule,
                                       const std::vector<Choice::Alternative>& others);

 private:
  /// A tactic, recorded.
  struct Contender {
    std::optional<Descriptors> descriptors;
    std::optional<Commands> commands;
    double best_ms = 0;
  };
  Result<Contender> prepare(const Dispatch& dispatch, const Kernel& kernel, uint32_t repeats);
  Result<double> time(Contender& contender);
  Result<void> time(Contender& contender, int times);
  Result<bool> wins(Contender& challenger, Contender& ruling);
  Result<uint32_t> repeats_of(const Dispatch& rule, const Kernel& kernel);

  const Context& context_;
  Kernels& kernels_;
  std::vector<VkDescriptorBufferInfo> buffers_;
  double spent_ms_ = 0;
};

}  // namespace vultus::gpu
