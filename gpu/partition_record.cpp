#include <fmt/format.h>

#include <algorithm>

#include "gpu/partition.hpp"

// What a partition writes into command buffers, plain and timed.

namespace vultus::gpu {

namespace {

constexpr VkPipelineStageFlags kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
constexpr VkPipelineStageFlags kTransfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr VkAccessFlags kShaderAccess = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
constexpr VkAccessFlags kTransferAccess =
    VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;

}  // namespace

bool VulkanPartition::needs_barrier(HazardTracker& hazards, const Dispatch& dispatch) const {
  std::vector<Range> reads, writes;
  for (const Binding& binding : dispatch.bindings) {
    Slice at = slice(binding.buffer);
    if (at.buffer == &weights_) continue;
    Range range{0, at.offset, at.offset + at.bytes};
    if (binding.access != Access::write) reads.push_back(range);
    if (binding.access != Access::read) writes.push_back(range);
  }
  return hazards.access(reads, writes);
}

void VulkanPartition::record_uploads(VkCommandBuffer commands) {
  const Vulkan& vk = context_.vk();
  // Orders this run after whatever the queue did with the same memory before.
  memory_barrier(vk, commands, kCompute | kTransfer, kShaderAccess | kTransferAccess,
                 kCompute | kTransfer, kShaderAccess | kTransferAccess);
  if (recording_.uploads.empty()) return;
  VkBufferCopy region{0, layout_.upload_offset, recording_.upload_bytes};
  vk.vkCmdCopyBuffer(commands, staging_.handle(), arena_.handle(), 1, &region);
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
                             &sets_[i], 0, nullptr);
  if (kernel.push_bytes > 0)
    vk.vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                          kernel.push_bytes, dispatch.push.data());
  auto groups = [&](size_t axis) {
    return (dispatch.threads[axis] + kernel.local_size[axis] - 1) / kernel.local_size[axis];
  };
  vk.vkCmdDispatch(commands, groups(0), groups(1), groups(2));
  if (context_.labels()) vk.vkCmdEndDebugUtilsLabelEXT(commands);
}

void VulkanPartition::record_downloads(VkCommandBuffer commands) {
  if (recording_.downloads.empty()) return;
  const Vulkan& vk = context_.vk();
  std::vector<VkBufferCopy> computed, constant;
  for (size_t i = 0; i < recording_.downloads.size(); ++i) {
    const TensorRef& source = recording_.downloads[i].source;
    if (source.elements() == 0) continue;
    Slice at = slice(source.buffer);
    (at.buffer == &arena_ ? computed : constant)
        .push_back({at.offset, download_offsets_[i], source.elements() * 4ull});
  }
  memory_barrier(vk, commands, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kTransfer,
                 VK_ACCESS_TRANSFER_READ_BIT);
  auto copy = [&](const Buffer& from, const std::vector<VkBufferCopy>& regions) {
    if (!regions.empty())
      vk.vkCmdCopyBuffer(commands, from.handle(), readback_.handle(),
                         static_cast<uint32_t>(regions.size()), regions.data());
  };
  copy(arena_, computed);
  copy(weights_, constant);
  memory_barrier(vk, commands, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                 VK_ACCESS_HOST_READ_BIT);
}

Result<void> VulkanPartition::record(Commands& commands, VkQueryPool timestamps) {
  const Vulkan& vk = context_.vk();
  VULTUS_TRY(VkCommandBuffer buffer, commands.begin());
  uint32_t count = static_cast<uint32_t>(recording_.dispatches.size());
  if (timestamps) vk.vkCmdResetQueryPool(buffer, timestamps, 0, count + 1);
  record_uploads(buffer);
  if (timestamps)
    vk.vkCmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, timestamps, 0);
  HazardTracker hazards;
  int64_t barriers = 0;
  for (uint32_t i = 0; i < count; ++i) {
    // When timed, each dispatch waits for the one before, or their times would overlap.
    if (needs_barrier(hazards, recording_.dispatches[i]) || (timestamps && i > 0)) {
      memory_barrier(vk, buffer, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kCompute, kShaderAccess);
      ++barriers;
    }
    record_dispatch(buffer, i);
    if (timestamps)
      vk.vkCmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, timestamps, i + 1);
  }
  record_downloads(buffer);
  if (!timestamps) stats_.barriers = barriers;
  return commands.end();
}

Result<std::vector<NodeTime>> VulkanPartition::profile() {
  const Vulkan& vk = context_.vk();
  const uint32_t bits = context_.report().timestamp_bits;
  const uint32_t count = static_cast<uint32_t>(recording_.dispatches.size());
  if (bits == 0)
    return Error{Errc::no_device,
                 fmt::format("{} has no timestamps on its compute queue: nodes cannot be timed",
                             context_.report().name)};
  VULTUS_CHECK(wait());
  if (!profile_) {
    VkQueryPoolCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = count + 1;
    VULTUS_VK(vk.vkCreateQueryPool(context_.device(), &info, nullptr, &timestamps_),
              "creating timestamps");
    VULTUS_TRY(Commands commands, Commands::create(context_));
    VULTUS_CHECK(record(commands, timestamps_));
    profile_ = std::move(commands);
  }
  if (staging_.handle()) VULTUS_CHECK(staging_.flush());
  VULTUS_CHECK(profile_->submit());
  VULTUS_CHECK(profile_->wait());
  std::vector<uint64_t> ticks(count + 1);
  VULTUS_VK(
      vk.vkGetQueryPoolResults(context_.device(), timestamps_, 0, count + 1, ticks.size() * 8,
                               ticks.data(), 8, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
      "reading timestamps");
  const uint64_t mask = bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  const double ms_per_tick =
      static_cast<double>(context_.properties().limits.timestampPeriod) * 1e-6;
  std::vector<NodeTime> times;
  for (uint32_t i = 0; i < count; ++i) {
    NodeId node = recording_.dispatches[i].node;
    if (node < 0) continue;
    double ms = static_cast<double>((ticks[i + 1] - ticks[i]) & mask) * ms_per_tick;
    auto it =
        std::find_if(times.begin(), times.end(), [&](const NodeTime& t) { return t.node == node; });
    if (it == times.end())
      times.push_back({node, ms});
    else
      it->ms += ms;
  }
  return times;
}

}  // namespace vultus::gpu
