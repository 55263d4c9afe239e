#include "gpu/descriptors.hpp"

#include <utility>

namespace vultus::gpu {

Result<Descriptors> Descriptors::create(const Context& context, std::span<const Set> sets) {
  Descriptors made;
  if (sets.empty()) return made;
  const Vulkan& vk = context.vk();
  made.context_ = &context;
  VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0};
  std::vector<VkDescriptorSetLayout> layouts;
  for (const Set& set : sets) {
    size.descriptorCount += static_cast<uint32_t>(set.buffers.size());
    layouts.push_back(set.layout);
  }
  VkDescriptorPoolCreateInfo pool{};
  pool.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  pool.maxSets = static_cast<uint32_t>(sets.size());
  pool.poolSizeCount = 1;
  pool.pPoolSizes = &size;
  VULTUS_VK(vk.vkCreateDescriptorPool(context.device(), &pool, nullptr, &made.pool_),
            "creating descriptors");
  VkDescriptorSetAllocateInfo allocate{};
  allocate.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
  allocate.descriptorPool = made.pool_;
  allocate.descriptorSetCount = pool.maxSets;
  allocate.pSetLayouts = layouts.data();
  made.sets_.resize(sets.size());
  VULTUS_VK(vk.vkAllocateDescriptorSets(context.device(), &allocate, made.sets_.data()),
            "creating descriptors");

  std::vector<VkWriteDescriptorSet> writes;
  for (size_t i = 0; i < sets.size(); ++i) {
    VkWriteDescriptorSet write{};
    write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    write.dstSet = made.sets_[i];
    write.descriptorCount = static_cast<uint32_t>(sets[i].buffers.size());  // from binding 0 on
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = sets[i].buffers.data();
    writes.push_back(write);
  }
  vk.vkUpdateDescriptorSets(context.device(), static_cast<uint32_t>(writes.size()), writes.data(),
                            0, nullptr);
  return made;
}

Descriptors::~Descriptors() {
  if (pool_) context_->vk().vkDestroyDescriptorPool(context_->device(), pool_, nullptr);
}

void Descriptors::swap(Descriptors& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(pool_, other.pool_);
  sets_.swap(other.sets_);
}

}  // namespace vultus::gpu
