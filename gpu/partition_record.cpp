#include <fmt/format.h>

#include <map>

#include "gpu/partition.hpp"

// What a partition writes into command buffers, plain and timed.

namespace vultus::gpu {

bool VulkanPartition::needs_barrier(HazardTracker& hazards, const Dispatch& dispatch) const {
  std::vector<Range> reads, writes;
  for (const Binding& binding : dispatch.bindings) {
    Slice at = slice(binding.buffer);
    if (at.buffer != &arena_) continue;  // only read
    Range range{0, at.offset, at.offset + at.bytes, binding.part};
    if (binding.access != Access::write) reads.push_back(range);
    if (binding.access != Access::read) writes.push_back(range);
  }
  return hazards.access(reads, writes);
}

void VulkanPartition::record_uploads(VkCommandBuffer commands, const Buffer& from) {
  const Vulkan& vk = context_.vk();
  // Orders this run after whatever the queue did with the same memory before.
  memory_barrier(vk, commands, kCompute | kTransfer, kShaderAccess | kTransferAccess,
                 kCompute | kTransfer, kShaderAccess | kTransferAccess);
  if (recording_.uploads.empty()) return;
  VkBufferCopy region{0, layout_.upload_offset, recording_.upload_bytes};
  vk.vkCmdCopyBuffer(commands, from.handle(), arena_.handle(), 1, &region);
  memory_barrier(vk, commands, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kCompute | kTransfer,
                 kShaderAccess | VK_ACCESS_TRANSFER_READ_BIT);
}

void VulkanPartition::record_dispatch(VkCommandBuffer commands, size_t i) {
  const Vulkan& vk = context_.vk();
  const Dispatch& dispatch = recording_.dispatches[i];
  const Kernel& kernel = *kernels_[i];
  if (context_.labels()) {
    std::string name = fmt::format("{} ({})", label_of(graph_, dispatch.node), dispatch.kernel);
    VkDebugUtilsLabelEXT label{};
    label.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT;
    label.pLabelName = name.c_str();
    vk.vkCmdBeginDebugUtilsLabelEXT(commands, &label);
  }
  if (i == 0 || kernels_[i - 1]->pipeline != kernel.pipeline)
    vk.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
  vk.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1,
                             &descriptors_[i], 0, nullptr);
  if (kernel.push_bytes > 0)
    vk.vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                          kernel.push_bytes, dispatch.push.data());
  auto groups = [&](size_t axis) {
    return (dispatch.threads[axis] + kernel.local_size[axis] - 1) / kernel.local_size[axis];
  };
  vk.vkCmdDispatch(commands, groups(0), groups(1), groups(2));
  if (context_.labels()) vk.vkCmdEndDebugUtilsLabelEXT(commands);
}

void VulkanPartition::record_downloads(VkCommandBuffer commands, const Buffer& to) {
  if (recording_.downloads.empty()) return;
  const Vulkan& vk = context_.vk();
  // Computed here, a constant, or another name of what an earlier partition made.
  std::map<const Buffer*, std::vector<VkBufferCopy>> regions;
  for (size_t i = 0; i < recording_.downloads.size(); ++i) {
    const TensorRef& source = recording_.downloads[i].source;
    if (source.elements() == 0) continue;
    const Slice at = slice(source.buffer);
    regions[at.buffer].push_back({at.offset, download_offsets_[i], source.elements() * 4ull});
  }
  memory_barrier(vk, commands, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kTransfer,
                 VK_ACCESS_TRANSFER_READ_BIT);
  for (const auto& [from, list] : regions)
    vk.vkCmdCopyBuffer(commands, from->handle(), to.handle(), static_cast<uint32_t>(list.size()),
                       list.data());
  memory_barrier(vk, commands, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                 VK_ACCESS_HOST_READ_BIT);
}

Result<void> VulkanPartition::record(Commands& commands, const Buffer& from, const Buffer& to,
                                     const Stamps& stamps) {
  const Vulkan& vk = context_.vk();
  VULTUS_TRY(VkCommandBuffer buffer, commands.begin());
  const uint32_t count = static_cast<uint32_t>(recording_.dispatches.size());
  uint32_t stamped = 0;
  auto stamp = [&](VkPipelineStageFlagBits stage) {
    if (stamps.pool) vk.vkCmdWriteTimestamp(buffer, stage, stamps.pool, stamps.first + stamped++);
  };
  if (stamps.pool) vk.vkCmdResetQueryPool(buffer, stamps.pool, stamps.first, stamps.count);
  // When the runs before have ended.
  stamp(VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT);
  record_uploads(buffer, from);
  stamp(VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT);
  HazardTracker hazards;
  int64_t barriers = 0;
  for (uint32_t i = 0; i < count; ++i) {
    // When timed, each dispatch waits for the one before, or their times would overlap.
    if (needs_barrier(hazards, recording_.dispatches[i]) || (stamps.every_dispatch && i > 0)) {
      memory_barrier(vk, buffer, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kCompute, kShaderAccess);
      ++barriers;
    }
    record_dispatch(buffer, i);
    if (stamps.every_dispatch) stamp(VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT);
  }
  if (!stamps.every_dispatch) stamp(VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT);
  record_downloads(buffer, to);
  stamp(VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT);
  if (!stamps.every_dispatch) stats_.barriers = barriers;
  return commands.end();
}

Result<void> VulkanPartition::record_slot(RunSlot& slot) {
  const bool apart = slot.inputs.handle() || slot.outputs.handle();
  VULTUS_TRY(slot.compute, Commands::create(context_));
  const Stamps stamps{run_stamps_, static_cast<uint32_t>(&slot - slots_.data()) * kRunStamps,
                      kRunStamps, false};
  if (!apart) return record(*slot.compute, slot.staging, slot.readback, stamps);
  VULTUS_CHECK(record(*slot.compute, slot.inputs, slot.outputs, stamps));
  auto record_copy = [&](std::optional<Commands>& commands, const Buffer& from,
                         const Buffer& to) -> Result<void> {
    if (!from.handle()) return {};
    VULTUS_TRY(commands, Commands::create(context_, Queue::copies));
    VULTUS_TRY(VkCommandBuffer buffer, commands->begin());
    VkBufferCopy region{0, 0, from.bytes()};
    context_.vk().vkCmdCopyBuffer(buffer, from.handle(), to.handle(), 1, &region);
    memory_barrier(context_.vk(), buffer, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT,
                   VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
    return commands->end();
  };
  VULTUS_CHECK(record_copy(slot.upload, slot.staging, slot.inputs));
  return record_copy(slot.download, slot.outputs, slot.readback);
}

Result<void> RunSlot::submit() {
  submitted = std::chrono::steady_clock::now();
  if (upload) VULTUS_CHECK(upload->submit());
  VULTUS_CHECK(compute->submit(upload ? &*upload : nullptr));
  if (download) VULTUS_CHECK(download->submit(&*compute));
  return {};
}

Result<void> RunSlot::wait() {
  for (auto* commands : {&download, &compute, &upload})
    if (*commands) VULTUS_CHECK((*commands)->wait());
  return {};
}

}  // namespace vultus::gpu
