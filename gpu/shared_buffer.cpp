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

Result<void> SharedBuffer::write(std::span<const std::byte> bytes) {
  if (bytes.size() > buffer_.bytes())
    return Error{Errc::internal, "more bytes than partitions share on the GPU"};
  if (bytes.empty()) return {};
  VULTUS_CHECK(commands_.wait());  // the copy before may still read the staging buffer
  if (staging_.bytes() < bytes.size()) {
    recorded_ = 0;
    VULTUS_TRY(staging_, Buffer::create(context_, bytes.size(), MemoryUse::staging,
                                        "the way up of a shared input"));
  }
  std::ranges::copy(bytes, staging_.mapped().begin());
  VULTUS_CHECK(staging_.flush());
  if (recorded_ != bytes.size()) {
    recorded_ = 0;
    VULTUS_TRY(commands_, Commands::create(context_));
    VULTUS_TRY(VkCommandBuffer commands, commands_.begin());
    const Vulkan& vk = context_.vk();
    memory_barrier(vk, commands, kCompute | kTransfer, kShaderAccess | kTransferAccess, kTransfer,
                   kTransferAccess);
    VkBufferCopy region{0, 0, bytes.size()};
    vk.vkCmdCopyBuffer(commands, staging_.handle(), buffer_.handle(), 1, &region);
    memory_barrier(vk, commands, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kCompute | kTransfer,
                   kShaderAccess | VK_ACCESS_TRANSFER_READ_BIT);
    VULTUS_CHECK(commands_.end());
    recorded_ = bytes.size();
  }
  return commands_.submit();
}

}  // namespace vultus::gpu
