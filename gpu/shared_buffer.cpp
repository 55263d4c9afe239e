#include "gpu/shared_buffer.hpp"

#include <algorithm>

#include "gpu/layout.hpp"

namespace vultus::gpu {

Result<std::unique_ptr<DeviceBytes>> SharedBuffer::create(const Context& context, size_t capacity) {
  VULTUS_TRY(Buffer buffer, Buffer::create(context, align_up(std::max<size_t>(capacity, 1), 32),
                                           MemoryUse::device, "a shared input"));
  VULTUS_TRY(Commands commands, Commands::create(context));
  return std::unique_ptr<DeviceBytes>(
      new SharedBuffer(context, std::move(buffer), std::move(commands)));
}

Result<void> SharedBuffer::write(std::span<const std::span<const std::byte>> parts) {
  size_t bytes = 0;
  for (const auto& part : parts)
    bytes += part.size();
  if (bytes > buffer_.bytes())
    return Error{Errc::internal, "more bytes than partitions share on the GPU"};
  if (bytes == 0) return {};
  VULTUS_CHECK(commands_.wait());  // the copy before may still read the staging buffer
  if (staging_.bytes() < bytes) {
    recorded_ = 0;
    VULTUS_TRY(staging_,
               Buffer::create(context_, bytes, MemoryUse::staging, "the way up of a shared input"));
  }
  auto to = staging_.mapped().begin();
  for (const auto& part : parts)
    to = std::ranges::copy(part, to).out;
  VULTUS_CHECK(staging_.flush());
  if (recorded_ != bytes) {
    recorded_ = 0;
    VULTUS_TRY(commands_, Commands::create(context_));
    VULTUS_TRY(VkCommandBuffer commands, commands_.begin());
    const Vulkan& vk = context_.vk();
    memory_barrier(vk, commands, kCompute | kTransfer, kShaderAccess | kTransferAccess, kTransfer,
                   kTransferAccess);
    VkBufferCopy region{0, 0, bytes};
    vk.vkCmdCopyBuffer(commands, staging_.handle(), buffer_.handle(), 1, &region);
    memory_barrier(vk, commands, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kCompute | kTransfer,
                   kShaderAccess | VK_ACCESS_TRANSFER_READ_BIT);
    VULTUS_CHECK(commands_.end());
    recorded_ = bytes;
  }
  return commands_.submit();
}

}  // namespace vultus::gpu
