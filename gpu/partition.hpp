#pragma once

#include "gpu/commands.hpp"
#include "gpu/hazards.hpp"
#include "gpu/kernel.hpp"
#include "gpu/memory.hpp"
#include "gpu/recording.hpp"

namespace vultus::gpu {

/// A partition on a Vulkan device: one arena, one weight buffer, one recorded command buffer.
class VulkanPartition : public Partition {
 public:
  static Result<std::unique_ptr<Partition>> create(const Context& context, Kernels& kernels,
                                                   const Graph& graph, const PartitionSpec& spec);
  ~VulkanPartition() override;

  Result<void> upload(ValueId input, const TensorView& data) override;
  Result<void> submit() override;
  Result<void> wait() override;
  Result<void> download(ValueId output, Tensor& out) override;
  PartitionStats stats() const override { return stats_; }
  Result<std::vector<NodeTime>> profile() override;

 private:
  struct Slice {
    const Buffer* buffer = nullptr;
    uint64_t offset = 0;
    uint64_t bytes = 0;
  };
  VulkanPartition(const Context& context, const Graph& graph) : context_(context), graph_(graph) {}
  void plan_memory();
  Result<void> allocate();
  Result<void> upload_weights();
  Result<void> create_kernels(Kernels& kernels, Precision precision);
  Result<void> bind();
  Result<void> record(Commands& commands, VkQueryPool timestamps);
  void record_uploads(VkCommandBuffer commands);
  void record_dispatch(VkCommandBuffer commands, size_t i);
  bool needs_barrier(HazardTracker& hazards, const Dispatch& dispatch) const;
  void record_downloads(VkCommandBuffer commands);
  Slice slice(BufferId id) const;

  const Context& context_;
  const Graph& graph_;
  Recording recording_;
  ArenaLayout layout_;
  std::vector<uint64_t> download_offsets_;  ///< in the readback buffer, by Recording::downloads
  uint64_t download_bytes_ = 0;
  Buffer arena_, weights_, staging_, readback_;
  std::vector<const Kernel*> kernels_;  ///< by dispatch
  VkDescriptorPool descriptor_pool_ = VK_NULL_HANDLE;
  std::vector<VkDescriptorSet> sets_;  ///< by dispatch
  std::optional<Commands> run_, profile_;
  VkQueryPool timestamps_ = VK_NULL_HANDLE;
  PartitionStats stats_;
};

}  // namespace vultus::gpu
