#include "gpu/vulkan.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace vultus::gpu {

Result<Vulkan> load_vulkan() {
  // Never closed: drivers leave threads and exit handlers behind that must find their code.
  static void* const library = [] {
    void* handle = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    return handle ? handle : dlopen("libvulkan.so", RTLD_NOW | RTLD_LOCAL);
  }();
  if (!library)
    return Error{Errc::no_device,
                 "no Vulkan loader (libvulkan.so.1): install libvulkan1 and the GPU's driver "
                 "(mesa-vulkan-drivers or the vendor's), or run on the CPU"};
  Vulkan vk;
  vk.vkGetInstanceProcAddr =
      reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
  if (!vk.vkGetInstanceProcAddr)
    return Error{Errc::no_device,
                 "libvulkan.so.1 is not a Vulkan loader: reinstall the package libvulkan1"};
#define VULTUS_VK_RESOLVE(name) \
  vk.name = reinterpret_cast<PFN_##name>(vk.vkGetInstanceProcAddr(nullptr, #name));
  VULTUS_VK_GLOBAL(VULTUS_VK_RESOLVE)
#undef VULTUS_VK_RESOLVE
  if (!vk.vkEnumerateInstanceVersion)
    return Error{Errc::no_device,
                 "the Vulkan loader is of version 1.0: install libvulkan1 1.2 or newer"};
  return vk;
}

void Vulkan::resolve_instance(VkInstance instance) {
#define VULTUS_VK_RESOLVE(name) \
  name = reinterpret_cast<PFN_##name>(vkGetInstanceProcAddr(instance, #name));
  VULTUS_VK_INSTANCE(VULTUS_VK_RESOLVE)
  VULTUS_VK_DEBUG(VULTUS_VK_RESOLVE)
#undef VULTUS_VK_RESOLVE
}

void Vulkan::resolve_device(VkDevice device) {
#define VULTUS_VK_RESOLVE(name) \
  name = reinterpret_cast<PFN_##name>(vkGetDeviceProcAddr(device, #name));
  VULTUS_VK_DEVICE(VULTUS_VK_RESOLVE)
#undef VULTUS_VK_RESOLVE
}

std::string name_of(VkResult result) {
  switch (result) {
    case VK_SUCCESS:
      return "VK_SUCCESS";
    case VK_TIMEOUT:
      return "VK_TIMEOUT";
    case VK_INCOMPLETE:
      return "VK_INCOMPLETE";
    case VK_ERROR_OUT_OF_HOST_MEMORY:
      return "VK_ERROR_OUT_OF_HOST_MEMORY";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      return "VK_ERROR_OUT_OF_DEVICE_MEMORY";
    case VK_ERROR_INITIALIZATION_FAILED:
      return "VK_ERROR_INITIALIZATION_FAILED";
    case VK_ERROR_DEVICE_LOST:
      return "VK_ERROR_DEVICE_LOST";
    case VK_ERROR_MEMORY_MAP_FAILED:
      return "VK_ERROR_MEMORY_MAP_FAILED";
    case VK_ERROR_LAYER_NOT_PRESENT:
      return "VK_ERROR_LAYER_NOT_PRESENT";
    case VK_ERROR_EXTENSION_NOT_PRESENT:
      return "VK_ERROR_EXTENSION_NOT_PRESENT";
    case VK_ERROR_FEATURE_NOT_PRESENT:
      return "VK_ERROR_FEATURE_NOT_PRESENT";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
      return "VK_ERROR_INCOMPATIBLE_DRIVER";
    case VK_ERROR_TOO_MANY_OBJECTS:
      return "VK_ERROR_TOO_MANY_OBJECTS";
    case VK_ERROR_OUT_OF_POOL_MEMORY:
      return "VK_ERROR_OUT_OF_POOL_MEMORY";
    case VK_ERROR_FRAGMENTATION:
      return "VK_ERROR_FRAGMENTATION";
    case VK_ERROR_UNKNOWN:
      return "VK_ERROR_UNKNOWN";
    default:
      return fmt::format("VkResult {}", static_cast<int>(result));
  }
}

Error vulkan_error(VkResult result, const std::string& doing) {
  switch (result) {
    case VK_ERROR_DEVICE_LOST:
      return {Errc::device_lost,
              fmt::format("the GPU was lost while {} (VK_ERROR_DEVICE_LOST): look at the kernel "
                          "log, and run again or with --device cpu",
                          doing)};
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      return {
          Errc::out_of_memory,
          fmt::format("out of GPU memory while {}: use a smaller batch or input, or --device cpu",
                      doing)};
    case VK_ERROR_OUT_OF_HOST_MEMORY:
    case VK_ERROR_MEMORY_MAP_FAILED:
      return {Errc::out_of_memory,
              fmt::format("out of host memory while {} ({}): use a smaller batch or input", doing,
                          name_of(result))};
    case VK_ERROR_INCOMPATIBLE_DRIVER:
      return {Errc::no_device,
              fmt::format("no Vulkan driver answers while {}: install mesa-vulkan-drivers or the "
                          "GPU vendor's driver, or run on the CPU",
                          doing)};
    default:
      return {Errc::no_device, fmt::format("{} failed: {}", doing, name_of(result))};
  }
}

}  // namespace vultus::gpu
