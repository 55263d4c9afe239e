#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gpu/device.hpp"
#include "gpu/vulkan.hpp"

namespace vultus::gpu {

/// Messages of the validation layer, which may come from any thread.
struct MessageLog {
  std::mutex mutex;
  std::vector<std::string> texts;
};

/// A VkInstance, with a debug messenger when validated.
class Instance {
 public:
  static Result<std::unique_ptr<Instance>> create(bool validation);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const Vulkan& vk() const { return vk_; }
  bool validated() const { return messenger_ != VK_NULL_HANDLE; }
  bool labels() const { return labels_; }  ///< VK_EXT_debug_utils is enabled
  MessageLog& log() { return log_; }
  Result<std::vector<VkPhysicalDevice>> physical_devices() const;
  DeviceReport report(VkPhysicalDevice device, int index) const;

 private:
  Instance() = default;
  Vulkan vk_;
  VkInstance instance_ = VK_NULL_HANDLE;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  bool labels_ = false;
  MessageLog log_;
};

/// The family with compute whose other abilities are fewest (async compute queues), timestamps
/// preferred; -1 when there is none.
int compute_family(const std::vector<VkQueueFamilyProperties>& families);
/// The family that only copies (a DMA engine), whole images not required; -1 when there is none.
int copy_family(const std::vector<VkQueueFamilyProperties>& families);
std::vector<VkQueueFamilyProperties> queue_families(const Vulkan& vk, VkPhysicalDevice device);
bool has_extension(const Vulkan& vk, VkPhysicalDevice device, std::string_view name);

}  // namespace vultus::gpu
