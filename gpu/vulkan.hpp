#pragma once

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan_core.h>

#include <string>

#include "host/core/result.hpp"

// Every Vulkan function we call, by who resolves it. The loader library is opened at run time.
#define VULTUS_VK_GLOBAL(X)             \
  X(vkCreateInstance)                   \
  X(vkEnumerateInstanceVersion)         \
  X(vkEnumerateInstanceLayerProperties) \
  X(vkEnumerateInstanceExtensionProperties)

#define VULTUS_VK_INSTANCE(X)                 \
  X(vkDestroyInstance)                        \
  X(vkEnumeratePhysicalDevices)               \
  X(vkGetPhysicalDeviceProperties)            \
  X(vkGetPhysicalDeviceProperties2)           \
  X(vkGetPhysicalDeviceFeatures2)             \
  X(vkGetPhysicalDeviceMemoryProperties)      \
  X(vkGetPhysicalDeviceQueueFamilyProperties) \
  X(vkEnumerateDeviceExtensionProperties)     \
  X(vkCreateDevice)                           \
  X(vkGetDeviceProcAddr)

#define VULTUS_VK_DEBUG(X)           \
  X(vkCreateDebugUtilsMessengerEXT)  \
  X(vkDestroyDebugUtilsMessengerEXT) \
  X(vkCmdBeginDebugUtilsLabelEXT)    \
  X(vkCmdEndDebugUtilsLabelEXT)

#define VULTUS_VK_DEVICE(X)         \
  X(vkDestroyDevice)                \
  X(vkGetDeviceQueue)               \
  X(vkDeviceWaitIdle)               \
  X(vkCreateBuffer)                 \
  X(vkDestroyBuffer)                \
  X(vkGetBufferMemoryRequirements)  \
  X(vkAllocateMemory)               \
  X(vkFreeMemory)                   \
  X(vkBindBufferMemory)             \
  X(vkMapMemory)                    \
  X(vkFlushMappedMemoryRanges)      \
  X(vkInvalidateMappedMemoryRanges) \
  X(vkCreateShaderModule)           \
  X(vkDestroyShaderModule)          \
  X(vkCreatePipelineCache)          \
  X(vkDestroyPipelineCache)         \
  X(vkGetPipelineCacheData)         \
  X(vkCreateDescriptorSetLayout)    \
  X(vkDestroyDescriptorSetLayout)   \
  X(vkCreatePipelineLayout)         \
  X(vkDestroyPipelineLayout)        \
  X(vkCreateComputePipelines)       \
  X(vkDestroyPipeline)              \
  X(vkCreateDescriptorPool)         \
  X(vkDestroyDescriptorPool)        \
  X(vkAllocateDescriptorSets)       \
  X(vkUpdateDescriptorSets)         \
  X(vkCreateCommandPool)            \
  X(vkDestroyCommandPool)           \
  X(vkAllocateCommandBuffers)       \
  X(vkBeginCommandBuffer)           \
  X(vkEndCommandBuffer)             \
  X(vkCmdBindPipeline)              \
  X(vkCmdBindDescriptorSets)        \
  X(vkCmdPushConstants)             \
  X(vkCmdDispatch)                  \
  X(vkCmdPipelineBarrier)           \
  X(vkCmdCopyBuffer)                \
  X(vkCmdFillBuffer)                \
  X(vkCmdResetQueryPool)            \
  X(vkCmdWriteTimestamp)            \
  X(vkCreateQueryPool)              \
  X(vkDestroyQueryPool)             \
  X(vkGetQueryPoolResults)          \
  X(vkCreateSemaphore)              \
  X(vkDestroySemaphore)             \
  X(vkWaitSemaphores)               \
  X(vkQueueSubmit)

namespace vultus::gpu {

/// Function pointers of one instance and one device. Members are named as the functions.
struct Vulkan {
  PFN_vkGetInstanceProcAddr vkGetInstanceProcAddr = nullptr;
#define VULTUS_VK_MEMBER(name) PFN_##name name = nullptr;
  VULTUS_VK_GLOBAL(VULTUS_VK_MEMBER)
  VULTUS_VK_INSTANCE(VULTUS_VK_MEMBER)
  VULTUS_VK_DEBUG(VULTUS_VK_MEMBER)
  VULTUS_VK_DEVICE(VULTUS_VK_MEMBER)
#undef VULTUS_VK_MEMBER

  void resolve_instance(VkInstance instance);
  void resolve_device(VkDevice device);
};

/// The loader library, opened once and kept open. Without it: Errc::no_device and what to install.
Result<Vulkan> load_vulkan();

/// "VK_ERROR_DEVICE_LOST" and so on.
std::string name_of(VkResult result);
/// `doing` reads "creating a pipeline for conv"; loss and exhaustion get the codes that callers act
/// on.
Error vulkan_error(VkResult result, const std::string& doing);
/// `VULTUS_VK(vk.vkCreateX(...), "creating x")`: returns the error to the caller.
#define VULTUS_VK(call, doing)                            \
  do {                                                    \
    if (VkResult result_ = (call); result_ != VK_SUCCESS) \
      return ::vultus::gpu::vulkan_error(result_, doing); \
  } while (false)

}  // namespace vultus::gpu
