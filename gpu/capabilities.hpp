#pragma once

#include "gpu/device.hpp"
#include "gpu/vulkan.hpp"

namespace vultus::gpu {

/// Fills in what the choice of kernels depends on: vendor, cores, subgroup sizes, cooperative
/// matrices. For devices of Vulkan 1.2 and newer.
void report_kernel_features(const Vulkan& vk, VkInstance instance, VkPhysicalDevice device,
                            DeviceReport& report);

/// Device extensions and features that the chosen kernels need; `chain` goes into
/// VkDeviceCreateInfo::pNext and lives as long as this object.
struct KernelFeatures {
  explicit KernelFeatures(const DeviceReport& report);
  KernelFeatures(const KernelFeatures&) = delete;
  KernelFeatures& operator=(const KernelFeatures&) = delete;

  std::vector<const char*> extensions;
  void* chain = nullptr;

 private:
  struct Storage;
  std::shared_ptr<Storage> storage_;
};

}  // namespace vultus::gpu
