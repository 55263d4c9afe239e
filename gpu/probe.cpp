#include "gpu/probe.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "gpu/commands.hpp"
#include "gpu/descriptors.hpp"
#include "gpu/memory.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {

namespace {

using Clock = std::chrono::steady_clock;

struct Push {
  uint32_t count = 0, iterations = 0;
  float scale = 0.5f;
};

enum class Mode : uint32_t { nothing, copy, multiply_add };

/// The kernel "probe" on two buffers of its own.
class Probe {
 public:
  Probe(const Context& context, Kernels& kernels) : context_(context), kernels_(kernels) {}
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  Result<void> allocate(uint64_t bytes) {
    bytes_ = bytes;
    for (Buffer* buffer : {&from_, &to_}) {
      VULTUS_TRY(*buffer, Buffer::create(context_, bytes, MemoryUse::device, "measuring"));
    }
    VULTUS_CHECK(create_descriptors());
    return run_once(context_, [&](VkCommandBuffer commands) {
      context_.vk().vkCmdFillBuffer(commands, from_.handle(), 0, VK_WHOLE_SIZE, 0);
      context_.vk().vkCmdFillBuffer(commands, to_.handle(), 0, VK_WHOLE_SIZE, 0);
      order(commands, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT);
    });
  }

  /// Milliseconds from submit to known finished of `repeats` dispatches, the shortest of a few
  /// tries. The first one, in which some drivers compile, does not count.
  Result<double> time(Mode mode, Push push, uint32_t repeats, bool dependent) {
    VULTUS_TRY(const Kernel* kernel, kernels_.get(dispatch_of(mode, push)));
    VULTUS_TRY(Commands commands, Commands::create(context_));
    VULTUS_TRY(VkCommandBuffer buffer, commands.begin());
    record(buffer, *kernel, push, repeats, dependent);
    VULTUS_CHECK(commands.end());
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 4; ++i) {
      auto start = Clock::now();
      VULTUS_CHECK(commands.submit());
      VULTUS_CHECK(commands.wait());
      std::chrono::duration<double, std::milli> took = Clock::now() - start;
      if (i > 0) best = std::min(best, took.count());
    }
    return best;
  }

  uint64_t quads() const { return bytes_ / 16; }

 private:
  static Dispatch dispatch_of(Mode mode, const Push& push) {
    Dispatch dispatch;
    dispatch.kernel = "probe";
    dispatch.spec = {static_cast<uint32_t>(mode)};
    dispatch.push.resize(sizeof(Push));
    std::memcpy(dispatch.push.data(), &push, sizeof(Push));
    dispatch.bindings = {{0, Access::read}, {1, Access::write}};
    dispatch.threads = fold(push.count);
    return dispatch;
  }

  void order(VkCommandBuffer commands, VkPipelineStageFlags stage, VkAccessFlags access) {
    memory_barrier(context_.vk(), commands, stage, access, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                   VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT);
  }

  void record(VkCommandBuffer commands, const Kernel& kernel, const Push& push, uint32_t repeats,
              bool dependent) {
    const Vulkan& vk = context_.vk();
    // After whatever wrote these buffers before.
    order(commands, kCompute, VK_ACCESS_SHADER_WRITE_BIT);
    vk.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
    vk.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1,
                               &descriptors_[0], 0, nullptr);
    vk.vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(Push),
                          &push);
    const auto threads = fold(push.count);
    auto groups = [&](size_t axis) {
      return (threads[axis] + kernel.local_size[axis] - 1) / kernel.local_size[axis];
    };
    for (uint32_t i = 0; i < repeats; ++i) {
      if (dependent && i > 0) order(commands, kCompute, VK_ACCESS_SHADER_WRITE_BIT);
      vk.vkCmdDispatch(commands, groups(0), groups(1), groups(2));
    }
  }

  Result<void> create_descriptors();

  const Context& context_;
  Kernels& kernels_;
  Buffer from_, to_;
  uint64_t bytes_ = 0;
  Descriptors descriptors_;
};

Result<void> Probe::create_descriptors() {
  VULTUS_TRY(const Kernel* kernel, kernels_.get(dispatch_of(Mode::copy, {1})));
  const Descriptors::Set set{kernel->set_layout,
                             {{from_.handle(), 0, bytes_}, {to_.handle(), 0, bytes_}}};
  VULTUS_TRY(descriptors_, Descriptors::create(context_, {&set, 1}));
  return {};
}

}  // namespace

Result<DeviceSpeed> probe(const Context& context, Kernels& kernels) {
  const bool software = context.caps().software;
  Probe probe(context, kernels);
  // Far larger than any cache, where memory is real.
  VULTUS_CHECK(probe.allocate(
      std::min<uint64_t>(context.caps().max_storage_range, software ? 32u << 20 : 256u << 20)));
  DeviceSpeed speed;
  Push everything{.count = static_cast<uint32_t>(probe.quads())};
  const uint32_t copies = software ? 1 : 8;
  VULTUS_TRY(double copy_ms, probe.time(Mode::copy, everything, copies, true));
  speed.copy_gb_per_s =
      static_cast<double>(copies) * 32e-6 * static_cast<double>(probe.quads()) / copy_ms;

  // As many threads as it takes for the launch not to count.
  constexpr uint32_t kIterations = 512;
  for (uint32_t threads = 1u << 13; threads <= 1u << 22; threads *= 4) {
    if (threads > probe.quads()) break;
    VULTUS_TRY(double ms, probe.time(Mode::multiply_add, {threads, kIterations}, 1, false));
    speed.gflops = std::max(speed.gflops, threads * 64e-6 * kIterations / ms);
    if (ms > 10) break;
  }

  constexpr uint32_t kMany = 1000;
  VULTUS_TRY(double submit_ms, probe.time(Mode::nothing, {1}, 1, false));
  VULTUS_TRY(double many_ms, probe.time(Mode::nothing, {1}, kMany + 1, false));
  VULTUS_TRY(double chain_ms, probe.time(Mode::nothing, {1}, kMany + 1, true));
  speed.submit_us = 1e3 * submit_ms;
  speed.dispatch_us = 1e3 * std::max(many_ms - submit_ms, 0.0) / kMany;
  speed.dependent_us = 1e3 * std::max(chain_ms - submit_ms, 0.0) / kMany;
  return speed;
}

}  // namespace vultus::gpu
