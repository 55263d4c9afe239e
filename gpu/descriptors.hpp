#pragma once

#include <span>
#include <vector>

#include "gpu/context.hpp"

namespace vultus::gpu {

/// Descriptor sets of storage buffers, written once. The context and the buffers outlive them.
class Descriptors {
 public:
  /// What one set binds: buffers by binding number, all of them in use by `layout`.
  struct Set {
    VkDescriptorSetLayout layout = VK_NULL_HANDLE;
    std::vector<VkDescriptorBufferInfo> buffers;
  };

  Descriptors() = default;
  static Result<Descriptors> create(const Context& context, std::span<const Set> sets);
  ~Descriptors();
  Descriptors(Descriptors&& other) noexcept { swap(other); }
  Descriptors& operator=(Descriptors&& other) noexcept {
    swap(other);
    return *this;
  }

  /// The sets in the order given.
  const VkDescriptorSet& operator[](size_t i) const { return sets_[i]; }

 private:
  void swap(Descriptors& other) noexcept;

  const Context* context_ = nullptr;
  VkDescriptorPool pool_ = VK_NULL_HANDLE;
  std::vector<VkDescriptorSet> sets_;
};

}  // namespace vultus::gpu
