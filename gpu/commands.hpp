#pragma once

#include "gpu/context.hpp"

namespace vultus::gpu {

inline constexpr VkPipelineStageFlags kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
inline constexpr VkPipelineStageFlags kTransfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
inline constexpr VkAccessFlags kShaderAccess =
    VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
inline constexpr VkAccessFlags kTransferAccess =
    VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;

/// A command pool with one command buffer, recorded once and submitted many times, and the timeline
/// that counts its submissions.
class Commands {
 public:
  static Result<Commands> create(const Context& context, Queue queue = Queue::compute);
  ~Commands();
  Commands(Commands&& other) noexcept { swap(other); }
  Commands& operator=(Commands&& other) noexcept {
    swap(other);
    return *this;
  }

  Result<VkCommandBuffer> begin();
  Result<void> end();
  /// On the device it begins when `after`'s last submit has finished.
  Result<void> submit(const Commands* after = nullptr);
  /// Waits for the last submit; nothing to do when there was none.
  Result<void> wait();

 private:
  Commands() = default;
  void swap(Commands& other) noexcept;

  const Context* context_ = nullptr;
  Queue queue_ = Queue::compute;
  VkCommandPool pool_ = VK_NULL_HANDLE;
  VkCommandBuffer buffer_ = VK_NULL_HANDLE;
  VkSemaphore timeline_ = VK_NULL_HANDLE;
  uint64_t submitted_ = 0, finished_ = 0;
};

/// Records, submits and waits: for work at load.
template <class Record>
Result<void> run_once(const Context& context, Record record) {
  VULTUS_TRY(Commands commands, Commands::create(context));
  VULTUS_TRY(VkCommandBuffer buffer, commands.begin());
  record(buffer);
  VULTUS_CHECK(commands.end());
  VULTUS_CHECK(commands.submit());
  return commands.wait();
}

void memory_barrier(const Vulkan& vk, VkCommandBuffer commands, VkPipelineStageFlags from_stage,
                    VkAccessFlags from_access, VkPipelineStageFlags to_stage,
                    VkAccessFlags to_access);

}  // namespace vultus::gpu
