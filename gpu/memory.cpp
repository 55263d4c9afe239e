#include "gpu/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gpu/context.hpp"

namespace vultus::gpu {

namespace {

struct Wish {
  VkMemoryPropertyFlags required;
  VkMemoryPropertyFlags preferred;
  VkMemoryPropertyFlags unwanted;
};

Wish wish_of(MemoryUse use) {
  constexpr VkMemoryPropertyFlags kVisible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
  switch (use) {
    // Device-local memory that the host can see is the small BAR window on many cards: last.
    case MemoryUse::device:
    case MemoryUse::exchange:
      return {0, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, kVisible};
    // The host writes once, in order: uncached is faster for the bus, and system memory leaves the
    // BAR window to those who need it.
    case MemoryUse::staging:
      return {kVisible, VK_MEMORY_PROPERTY_HOST_COHERENT_BIT,
              VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_CACHED_BIT};
    // Reading uncached memory costs a bus transaction per word.
    case MemoryUse::readback:
      return {kVisible, VK_MEMORY_PROPERTY_HOST_CACHED_BIT, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT};
  }
  return {};
}

}  // namespace

std::vector<uint32_t> memory_types(const VkPhysicalDeviceMemoryProperties& memory,
                                   uint32_t type_bits, MemoryUse use) {
  // Never: lazily allocated, protected, and AMD's device-coherent types, which need a feature.
  constexpr VkMemoryPropertyFlags kForbidden =
      VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT | VK_MEMORY_PROPERTY_PROTECTED_BIT |
      VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;
  Wish wish = wish_of(use);
  std::vector<std::pair<int, uint32_t>> scored;
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
    VkMemoryPropertyFlags flags = memory.memoryTypes[i].propertyFlags;
    if (!(type_bits & (1u << i)) || (flags & kForbidden) ||
        (flags & wish.required) != wish.required)
      continue;
    int penalty =
        ((flags & wish.preferred) == wish.preferred ? 0 : 4) +
        (flags & wish.unwanted & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT ? 2 : 0) +
        (flags & wish.unwanted & ~VkMemoryPropertyFlags{VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT} ? 1
                                                                                             : 0);
    scored.emplace_back(penalty, i);
  }
  std::stable_sort(scored.begin(), scored.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<uint32_t> types;
  for (const auto& [penalty, type] : scored)
    types.push_back(type);
  return types;
}

Result<Buffer> Buffer::create(const Context& context, uint64_t bytes, MemoryUse use,
                              const std::string& what) {
  const Vulkan& vk = context.vk();
  const std::string doing = fmt::format("allocating {} bytes for {}", bytes, what);
  if (bytes > context.max_allocation())
    return Error{Errc::out_of_memory,
                 fmt::format("{} need {} bytes, but {} allocates at most {} at once: use a smaller "
                             "batch or input",
                             what, bytes, context.report().name, context.max_allocation())};
  Buffer buffer;
  buffer.context_ = &context;
  buffer.bytes_ = bytes;
  VkBufferCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
  info.size = bytes;
  info.usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  if (use == MemoryUse::device) info.usage |= VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
  info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
  // What both queues touch is small; handing it over each time would cost more than sharing it.
  const uint32_t families[] = {context.queue_family(), context.queue_family(Queue::copies)};
  if (use != MemoryUse::device && families[0] != families[1]) {
    info.sharingMode = VK_SHARING_MODE_CONCURRENT;
    info.queueFamilyIndexCount = 2;
    info.pQueueFamilyIndices = families;
  }
  VULTUS_VK(vk.vkCreateBuffer(context.device(), &info, nullptr, &buffer.buffer_), doing);

  VkMemoryRequirements needs;
  vk.vkGetBufferMemoryRequirements(context.device(), buffer.buffer_, &needs);
  VkResult result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  for (uint32_t type : memory_types(context.memory(), needs.memoryTypeBits, use)) {
    VkMemoryAllocateInfo allocate{};
    allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    allocate.allocationSize = needs.size;
    allocate.memoryTypeIndex = type;
    result = vk.vkAllocateMemory(context.device(), &allocate, nullptr, &buffer.memory_);
    buffer.coherent_ =
        context.memory().memoryTypes[type].propertyFlags & VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    if (result != VK_ERROR_OUT_OF_DEVICE_MEMORY && result != VK_ERROR_OUT_OF_HOST_MEMORY) break;
  }
  VULTUS_VK(result, doing);
  VULTUS_VK(vk.vkBindBufferMemory(context.device(), buffer.buffer_, buffer.memory_, 0), doing);
  if (use == MemoryUse::staging || use == MemoryUse::readback) {
    void* mapped = nullptr;
    VULTUS_VK(vk.vkMapMemory(context.device(), buffer.memory_, 0, VK_WHOLE_SIZE, 0, &mapped),
              doing);
    buffer.mapped_ = static_cast<std::byte*>(mapped);
  }
  return buffer;
}

Buffer::~Buffer() {
  if (!context_) return;
  const Vulkan& vk = context_->vk();
  if (buffer_) vk.vkDestroyBuffer(context_->device(), buffer_, nullptr);
  if (memory_) vk.vkFreeMemory(context_->device(), memory_, nullptr);  // unmaps
}

void Buffer::swap(Buffer& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(buffer_, other.buffer_);
  std::swap(memory_, other.memory_);
  std::swap(bytes_, other.bytes_);
  std::swap(mapped_, other.mapped_);
  std::swap(coherent_, other.coherent_);
}

Result<void> Buffer::flush() const {
  if (coherent_) return {};
  VkMappedMemoryRange range{VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, memory_, 0,
                            VK_WHOLE_SIZE};
  VULTUS_VK(context_->vk().vkFlushMappedMemoryRanges(context_->device(), 1, &range),
            "handing inputs to the GPU");
  return {};
}

Result<void> Buffer::invalidate() const {
  if (coherent_) return {};
  VkMappedMemoryRange range{VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, nullptr, memory_, 0,
                            VK_WHOLE_SIZE};
  VULTUS_VK(context_->vk().vkInvalidateMappedMemoryRanges(context_->device(), 1, &range),
            "reading results of the GPU");
  return {};
}

}  // namespace vultus::gpu
