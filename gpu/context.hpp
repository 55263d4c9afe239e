#pragma once

#include <memory>
#include <mutex>

#include "gpu/builder.hpp"
#include "gpu/device.hpp"
#include "gpu/instance.hpp"
#include "gpu/vulkan.hpp"

namespace vultus::gpu {

/// The logical device, its queue and its limits: what everything else in this folder works on.
/// Outlives all of it.
class Context {
 public:
  static Result<std::unique_ptr<Context>> create(const OpenOptions& options);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Vulkan& vk() const { return vk_; }
  VkDevice device() const { return device_; }
  uint32_t queue_family() const { return queue_family_; }
  const VkPhysicalDeviceProperties& properties() const { return properties_; }
  const VkPhysicalDeviceMemoryProperties& memory() const { return memory_; }
  const DeviceReport& report() const { return report_; }
  const Caps& caps() const { return caps_; }
  /// OpenOptions::conv; no partition may be compiled meanwhile.
  Result<void> force_convolutions(const ConvForce& force);
  uint64_t max_allocation() const { return report_.max_allocation; }
  /// Where a tensor may begin in a buffer: storage offset alignment, and at least 32 bytes.
  uint64_t alignment() const;
  bool labels() const { return instance_->labels(); }
  bool poison() const { return poison_; }
  Instance& instance() const { return *instance_; }

  /// Queues a command buffer; `semaphore` reaches `value` when it is done. Any thread.
  Result<void> submit(VkCommandBuffer commands, VkSemaphore semaphore, uint64_t value) const;
  /// Errc::device_lost when the device has failed or does not answer within ten minutes.
  Result<void> wait(VkSemaphore semaphore, uint64_t value) const;
  Result<VkSemaphore> create_timeline() const;

 private:
  Context() = default;
  Result<void> create_device(VkPhysicalDevice physical);

  std::unique_ptr<Instance> instance_;
  Vulkan vk_;
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE;
  uint32_t queue_family_ = 0;
  VkPhysicalDeviceProperties properties_{};
  VkPhysicalDeviceMemoryProperties memory_{};
  DeviceReport report_;
  Caps caps_;
  bool poison_ = false;
  mutable std::mutex queue_mutex_;
};

}  // namespace vultus::gpu
