#pragma once

#include "gpu/commands.hpp"
#include "gpu/descriptors.hpp"
#include "gpu/hazards.hpp"
#include "gpu/host_clock.hpp"
#include "gpu/kernel.hpp"
#include "gpu/memory.hpp"
#include "gpu/recording.hpp"

namespace vultus::gpu {

/// Part of a buffer.
struct Slice {
  const Buffer* buffer = nullptr;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// Room for one run in flight: its inputs and outputs, and its recorded commands. Where copies have
/// a queue of their own they go by way of `inputs` and `outputs` in device memory, because the
/// arena belongs to the run that computes.
struct RunSlot {
  Buffer staging, readback;
  Buffer inputs, outputs;
  std::optional<Commands> upload, compute, download;
  Moment submitted, done;  ///< of the last run

  Result<void> submit();
  Result<void> wait();
};

/// A partition on a Vulkan device: one arena, one weight buffer, one recorded command buffer a
/// slot.
class VulkanPartition : public Partition {
 public:
  static Result<std::unique_ptr<Partition>> create(const Context& context, Kernels& kernels,
                                                   ConvTimings& timings, const Graph& graph,
                                                   const PartitionSpec& spec);
  ~VulkanPartition() override;

  Result<void> upload(ValueId input, const TensorView& data) override;
  Result<void> submit() override;
  Result<void> wait() override;
  Result<void> download(ValueId output, Tensor& out) override;
  PartitionStats stats() const override { return stats_; }
  bool reads_in_place(ValueId) const override { return false; }
  std::vector<MemoryBlock> memory_map() const override { return layout_.blocks; }
  Result<std::vector<StepTime>> profile() override;
  std::optional<DeviceTimes> device_times() override;
  size_t slots() const override { return slots_.size(); }
  void select(size_t slot) override { selected_ = slot; }

 private:
  /// Where a recording notes times: before and after the copies in, then after every dispatch or
  /// after the last, then after the copies out.
  struct Stamps {
    VkQueryPool pool = VK_NULL_HANDLE;  ///< none: nowhere
    uint32_t first = 0, count = 0;
    bool every_dispatch = false;
  };
  static constexpr uint32_t kRunStamps = 4;  ///< of a plain run

  VulkanPartition(const Context& context, const Graph& graph) : context_(context), graph_(graph) {}
  Result<void> find_imports(const PartitionSpec& spec, std::vector<Handover>& found);
  void plan_memory();
  Result<void> allocate(size_t slots);
  Result<void> fill_arena(uint32_t pattern);
  Result<void> upload_weights();
  Result<void> create_kernels(Kernels& kernels);
  Result<void> tune(Kernels& kernels, ConvTimings& timings);
  Result<ConvTactic> fastest(Kernels& kernels, const Dispatch& dispatch, const Choice& choice);
  Result<void> use(Kernels& kernels, size_t i, const ConvTactic& tactic);
  void count_choices();
  Result<void> bind();
  Result<void> record_slot(RunSlot& slot);
  Result<void> record(Commands& commands, const Buffer& from, const Buffer& to,
                      const Stamps& stamps);
  void record_uploads(VkCommandBuffer commands, const Buffer& from);
  void record_dispatch(VkCommandBuffer commands, size_t i);
  bool needs_barrier(HazardTracker& hazards, const Dispatch& dispatch) const;
  void record_downloads(VkCommandBuffer commands, const Buffer& to);
  Result<void> prepare_profile();
  Result<void> create_run_stamps();
  double device_ms(uint64_t ticks) const;
  uint64_t tick_mask() const;
  int64_t bytes_of(const Dispatch& dispatch) const;
  Slice slice(BufferId id) const;
  VkDescriptorBufferInfo described(BufferId id) const;
  RunSlot& slot() { return slots_[selected_]; }

  const Context& context_;
  const Graph& graph_;
  Recording recording_;
  std::vector<Slice> imported_;  ///< by Recording::BufferInfo::import
  ArenaLayout layout_;
  std::vector<uint64_t> download_offsets_;  ///< in the readback buffer, by Recording::downloads
  uint64_t download_bytes_ = 0;
  Buffer arena_, weights_;
  std::vector<const Kernel*> kernels_;  ///< by dispatch
  Descriptors descriptors_;             ///< by dispatch
  std::vector<RunSlot> slots_;
  size_t selected_ = 0;
  std::optional<Commands> profile_;
  VkQueryPool timestamps_ = VK_NULL_HANDLE;  ///< of the timed run
  VkQueryPool run_stamps_ = VK_NULL_HANDLE;  ///< by slot; none where the device has no clock
  HostClock host_clock_;
  PartitionStats stats_;
};

}  // namespace vultus::gpu
