#pragma once

#include <memory>
#include <mutex>

#include "gpu/builder.hpp"
#include "gpu/device.hpp"
#include "gpu/instance.hpp"
#include "gpu/vulkan.hpp"

namespace vultus::gpu {

/// Where a command buffer runs: copies have a queue of their own on devices that offer one.
enum class Queue : uint8_t { compute, copies };

/// A point on a timeline semaphore.
struct TimelinePoint {
  VkSemaphore semaphore = VK_NULL_HANDLE;
  uint64_t value = 0;
};

struct Submission {
  Queue queue = Queue::compute;
  VkCommandBuffer commands = VK_NULL_HANDLE;
  TimelinePoint signal;  ///< reached when the commands are done
  TimelinePoint wait;    ///< before they begin; none without a semaphore
};

/// The logical device, its queues and its limits: what everything else in this folder works on.
/// Outlives all of it.
class Context {
 public:
  static Result<std::unique_ptr<Context>> create(const OpenOptions& options);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Vulkan& vk() const { return vk_; }
  VkDevice device() const { return device_; }
  uint32_t queue_family(Queue queue = Queue::compute) const {
    return queue == Queue::compute ? queue_family_ : copy_family_;
  }
  /// Whether copies go to a queue of their own.
  bool copies_apart() const { return copies_apart_; }
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

  /// Any thread.
  Result<void> submit(const Submission& submission) const;
  /// Errc::device_lost when the device has failed or does not answer within ten minutes.
  Result<void> wait(const TimelinePoint& point) const;
  Result<VkSemaphore> create_timeline() const;

 private:
  Context() = default;
  Result<void> create_device(VkPhysicalDevice physical);

  std::unique_ptr<Instance> instance_;
  Vulkan vk_;
  VkDevice device_ = VK_NULL_HANDLE;
  VkQueue queue_ = VK_NULL_HANDLE, copy_queue_ = VK_NULL_HANDLE;
  uint32_t queue_family_ = 0, copy_family_ = 0;
  bool copies_apart_ = false;
  VkPhysicalDeviceProperties properties_{};
  VkPhysicalDeviceMemoryProperties memory_{};
  DeviceReport report_;
  Caps caps_;
  bool poison_ = false;
  mutable std::mutex queue_mutex_;
};

}  // namespace vultus::gpu
