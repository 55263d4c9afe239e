#include "gpu/commands.hpp"

#include <utility>

namespace vultus::gpu {

Result<Commands> Commands::create(const Context& context, Queue queue) {
  const Vulkan& vk = context.vk();
  Commands commands;
  commands.context_ = &context;
  commands.queue_ = queue;
  VkCommandPoolCreateInfo pool{};
  pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  pool.queueFamilyIndex = context.queue_family(queue);
  VULTUS_VK(vk.vkCreateCommandPool(context.device(), &pool, nullptr, &commands.pool_),
            "creating a command pool");
  VkCommandBufferAllocateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  info.commandPool = commands.pool_;
  info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  info.commandBufferCount = 1;
  VULTUS_VK(vk.vkAllocateCommandBuffers(context.device(), &info, &commands.buffer_),
            "creating a command buffer");
  VULTUS_TRY(commands.timeline_, context.create_timeline());
  return commands;
}

Commands::~Commands() {
  if (!context_) return;
  (void)wait();
  const Vulkan& vk = context_->vk();
  if (timeline_) vk.vkDestroySemaphore(context_->device(), timeline_, nullptr);
  if (pool_) vk.vkDestroyCommandPool(context_->device(), pool_, nullptr);
}

void Commands::swap(Commands& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(queue_, other.queue_);
  std::swap(pool_, other.pool_);
  std::swap(buffer_, other.buffer_);
  std::swap(timeline_, other.timeline_);
  std::swap(submitted_, other.submitted_);
  std::swap(finished_, other.finished_);
}

Result<VkCommandBuffer> Commands::begin() {
  VkCommandBufferBeginInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  VULTUS_VK(context_->vk().vkBeginCommandBuffer(buffer_, &info), "recording commands");
  return buffer_;
}

Result<void> Commands::end() {
  VULTUS_VK(context_->vk().vkEndCommandBuffer(buffer_), "recording commands");
  return {};
}

Result<void> Commands::submit(const Commands* after) {
  Submission submission{queue_, buffer_, {timeline_, submitted_ + 1}, {}};
  if (after) submission.wait = {after->timeline_, after->submitted_};
  VULTUS_CHECK(context_->submit(submission));
  ++submitted_;
  return {};
}

Result<void> Commands::wait() {
  if (finished_ == submitted_) return {};
  VULTUS_CHECK(context_->wait({timeline_, submitted_}));
  finished_ = submitted_;
  return {};
}

void memory_barrier(const Vulkan& vk, VkCommandBuffer commands, VkPipelineStageFlags from_stage,
                    VkAccessFlags from_access, VkPipelineStageFlags to_stage,
                    VkAccessFlags to_access) {
  VkMemoryBarrier barrier{VK_STRUCTURE_TYPE_MEMORY_BARRIER, nullptr, from_access, to_access};
  vk.vkCmdPipelineBarrier(commands, from_stage, to_stage, 0, 1, &barrier, 0, nullptr, 0, nullptr);
}

}  // namespace vultus::gpu
