#include "gpu/instance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "gpu/capabilities.hpp"

namespace vultus::gpu {

namespace {

/// Buffers that our largest kernel binds (shaders/pointwise.comp).
constexpr uint32_t kMostBindings = 9;
constexpr const char* kValidationLayer = "VK_LAYER_KHRONOS_validation";

VKAPI_ATTR VkBool32 VKAPI_CALL on_message(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                          VkDebugUtilsMessageTypeFlagsEXT,
                                          const VkDebugUtilsMessengerCallbackDataEXT* data,
                                          void* user) {
  auto* log = static_cast<MessageLog*>(user);
  std::lock_guard lock(log->mutex);
  log->texts.emplace_back(data->pMessage ? data->pMessage : "");
  return VK_FALSE;
}

VkDebugUtilsMessengerCreateInfoEXT messenger_info(MessageLog& log) {
  VkDebugUtilsMessengerCreateInfoEXT info{};
  info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
  info.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                         VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
  // Not GENERAL: the loader's chatter about other drivers is no fault of ours.
  info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                     VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
  info.pfnUserCallback = on_message;
  info.pUserData = &log;
  return info;
}

bool layer_present(const Vulkan& vk) {
  uint32_t count = 0;
  vk.vkEnumerateInstanceLayerProperties(&count, nullptr);
  std::vector<VkLayerProperties> layers(count);
  vk.vkEnumerateInstanceLayerProperties(&count, layers.data());
  layers.resize(count);
  return std::any_of(layers.begin(), layers.end(), [](const VkLayerProperties& layer) {
    return std::strcmp(layer.layerName, kValidationLayer) == 0;
  });
}

bool instance_extension(const Vulkan& vk, const char* layer, std::string_view name) {
  uint32_t count = 0;
  if (vk.vkEnumerateInstanceExtensionProperties(layer, &count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkExtensionProperties> extensions(count);
  vk.vkEnumerateInstanceExtensionProperties(layer, &count, extensions.data());
  extensions.resize(count);
  return std::any_of(extensions.begin(), extensions.end(),
                     [&](const VkExtensionProperties& e) { return name == e.extensionName; });
}

std::string version_text(uint32_t version) {
  return fmt::format("{}.{}.{}", VK_API_VERSION_MAJOR(version), VK_API_VERSION_MINOR(version),
                     VK_API_VERSION_PATCH(version));
}

std::string uuid_text(const uint8_t* uuid) {
  std::string text;
  for (uint32_t i = 0; i < VK_UUID_SIZE; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

std::string type_text(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return "discrete";
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return "integrated";
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return "virtual";
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return "software";
    default:
      return "other";
  }
}

std::string refusal_of(uint32_t api, const DeviceReport& report, int family,
                       const VkPhysicalDeviceLimits& limits) {
  if (api < VK_API_VERSION_1_2)
    return fmt::format("Vulkan {} is too old: 1.2 is needed, update the driver", report.api);
  if (!report.timeline) return "the driver has no timeline semaphores: update it";
  if (family < 0) return "it has no queue for compute";
  const uint32_t buffers =
      std::min(limits.maxPerStageDescriptorStorageBuffers, limits.maxDescriptorSetStorageBuffers);
  if (buffers < kMostBindings)
    return fmt::format("a kernel can bind {} buffers on it, {} are needed", buffers, kMostBindings);
  return {};
}

}  // namespace

Result<std::unique_ptr<Instance>> Instance::create(bool validation) {
  VULTUS_TRY(Vulkan vk, load_vulkan());
  if (validation && !layer_present(vk))
    return Error{Errc::usage,
                 "validation was asked for but VK_LAYER_KHRONOS_validation is not installed: "
                 "install vulkan-validationlayers"};
  uint32_t version = VK_API_VERSION_1_0;
  vk.vkEnumerateInstanceVersion(&version);
  if (version < VK_API_VERSION_1_2)
    return Error{Errc::no_device,
                 fmt::format("the Vulkan loader is of version {}: install libvulkan1 1.2 or newer",
                             version_text(version))};

  std::unique_ptr<Instance> instance(new Instance);
  instance->vk_ = vk;
  VkApplicationInfo application{};
  application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
  application.pApplicationName = "vultus";
  application.apiVersion = VK_API_VERSION_1_2;

  VkDebugUtilsMessengerCreateInfoEXT messenger = messenger_info(instance->log_);
  const VkValidationFeatureEnableEXT checks[] = {
      VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
  VkValidationFeaturesEXT features{};
  features.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT;
  features.pNext = &messenger;
  features.enabledValidationFeatureCount = 1;
  features.pEnabledValidationFeatures = checks;

  std::vector<const char*> extensions;
  instance->labels_ = instance_extension(vk, nullptr, VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
  if (instance->labels_ || validation) extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
  if (validation) extensions.push_back(VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);

  VkInstanceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
  info.pNext = validation ? &features : nullptr;
  info.pApplicationInfo = &application;
  info.enabledLayerCount = validation ? 1 : 0;
  info.ppEnabledLayerNames = &kValidationLayer;
  info.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
  info.ppEnabledExtensionNames = extensions.data();
  VULTUS_VK(vk.vkCreateInstance(&info, nullptr, &instance->instance_), "starting Vulkan");
  instance->vk_.resolve_instance(instance->instance_);
  if (validation) {
    instance->labels_ = true;
    VULTUS_VK(instance->vk_.vkCreateDebugUtilsMessengerEXT(instance->instance_, &messenger, nullptr,
                                                           &instance->messenger_),
              "listening to the validation layer");
  }
  return instance;
}

Instance::~Instance() {
  if (messenger_) vk_.vkDestroyDebugUtilsMessengerEXT(instance_, messenger_, nullptr);
  if (instance_) vk_.vkDestroyInstance(instance_, nullptr);
}

Result<std::vector<VkPhysicalDevice>> Instance::physical_devices() const {
  uint32_t count = 0;
  VULTUS_VK(vk_.vkEnumeratePhysicalDevices(instance_, &count, nullptr), "looking for GPUs");
  std::vector<VkPhysicalDevice> devices(count);
  VULTUS_VK(vk_.vkEnumeratePhysicalDevices(instance_, &count, devices.data()), "looking for GPUs");
  devices.resize(count);
  if (devices.empty())
    return Error{Errc::no_device,
                 "Vulkan found no device: install the GPU's Vulkan driver, or run on the CPU"};
  return devices;
}

DeviceReport Instance::report(VkPhysicalDevice device, int index) const {
  DeviceReport report;
  report.index = index;
  VkPhysicalDeviceProperties basic;
  vk_.vkGetPhysicalDeviceProperties(device, &basic);
  report.name = basic.deviceName;
  report.api = version_text(basic.apiVersion);
  report.vendor = basic.vendorID;
  report.type = type_text(basic.deviceType);
  report.driver = version_text(basic.driverVersion);
  report.max_storage_range = basic.limits.maxStorageBufferRange;
  report.max_shared_bytes = basic.limits.maxComputeSharedMemorySize;
  report.max_invocations = basic.limits.maxComputeWorkGroupInvocations;
  report.cooperative_khr = has_extension(vk_, device, "VK_KHR_cooperative_matrix");
  report.cooperative_nv = has_extension(vk_, device, "VK_NV_cooperative_matrix");

  if (basic.apiVersion >= VK_API_VERSION_1_2) {
    VkPhysicalDeviceMaintenance3Properties maintenance3{};
    maintenance3.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
    VkPhysicalDeviceSubgroupProperties subgroup{};
    subgroup.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES;
    subgroup.pNext = &maintenance3;
    VkPhysicalDeviceIDProperties id{};
    id.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
    id.pNext = &subgroup;
    VkPhysicalDeviceDriverProperties driver{};
    driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
    driver.pNext = &id;
    VkPhysicalDeviceProperties2 properties{};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    properties.pNext = &driver;
    vk_.vkGetPhysicalDeviceProperties2(device, &properties);
    report.driver = fmt::format("{} {}", driver.driverName, driver.driverInfo);
    report.uuid = uuid_text(id.deviceUUID);
    report.subgroup_size = subgroup.subgroupSize;
    report.max_allocation = maintenance3.maxMemoryAllocationSize;

    VkPhysicalDeviceVulkan12Features features12{};
    features12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    VkPhysicalDeviceVulkan11Features features11{};
    features11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    features11.pNext = &features12;
    VkPhysicalDeviceFeatures2 features{};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    features.pNext = &features11;
    vk_.vkGetPhysicalDeviceFeatures2(device, &features);
    report.storage16 = features11.storageBuffer16BitAccess;
    report.float16 = features12.shaderFloat16;
    report.timeline = features12.timelineSemaphore;
    report.memory_model = features12.vulkanMemoryModel;
    report_kernel_features(vk_, instance_, device, report);
  }

  VkPhysicalDeviceMemoryProperties memory;
  vk_.vkGetPhysicalDeviceMemoryProperties(device, &memory);
  for (uint32_t i = 0; i < memory.memoryHeapCount; ++i)
    if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      report.memory_bytes = std::max(report.memory_bytes, memory.memoryHeaps[i].size);

  std::vector<VkQueueFamilyProperties> families = queue_families(vk_, device);
  int family = compute_family(families);
  if (family >= 0) report.timestamp_bits = families[static_cast<size_t>(family)].timestampValidBits;
  report.refusal = refusal_of(basic.apiVersion, report, family, basic.limits);
  return report;
}

int compute_family(const std::vector<VkQueueFamilyProperties>& families) {
  int best = -1, best_score = -1;
  for (size_t i = 0; i < families.size(); ++i) {
    if (!(families[i].queueFlags & VK_QUEUE_COMPUTE_BIT) || families[i].queueCount == 0) continue;
    // A family without graphics does not wait for the desktop's compositor.
    int score = (families[i].timestampValidBits ? 2 : 0) +
                (families[i].queueFlags & VK_QUEUE_GRAPHICS_BIT ? 0 : 1);
    if (score > best_score) {
      best = static_cast<int>(i);
      best_score = score;
    }
  }
  return best;
}

int copy_family(const std::vector<VkQueueFamilyProperties>& families) {
  // Decoding and encoding families copy as well, but not whatever we like.
  constexpr VkQueueFlags kCopying =
      VK_QUEUE_TRANSFER_BIT | VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_PROTECTED_BIT;
  for (size_t i = 0; i < families.size(); ++i)
    if ((families[i].queueFlags & VK_QUEUE_TRANSFER_BIT) && !(families[i].queueFlags & ~kCopying) &&
        families[i].queueCount > 0)
      return static_cast<int>(i);
  return -1;
}

std::vector<VkQueueFamilyProperties> queue_families(const Vulkan& vk, VkPhysicalDevice device) {
  uint32_t count = 0;
  vk.vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vk.vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  families.resize(count);
  return families;
}

bool has_extension(const Vulkan& vk, VkPhysicalDevice device, std::string_view name) {
  uint32_t count = 0;
  if (vk.vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr) != VK_SUCCESS)
    return false;
  std::vector<VkExtensionProperties> extensions(count);
  vk.vkEnumerateDeviceExtensionProperties(device, nullptr, &count, extensions.data());
  extensions.resize(count);
  return std::any_of(extensions.begin(), extensions.end(),
                     [&](const VkExtensionProperties& e) { return name == e.extensionName; });
}

bool validation_available() {
  auto vk = load_vulkan();
  return vk && layer_present(*vk);
}

}  // namespace vultus::gpu
