#include "gpu/capabilities.hpp"

#include "gpu/cooperative_khr.hpp"
#include "gpu/device_class.hpp"
#include "gpu/instance.hpp"
#include "gpu/spirv.hpp"

namespace vultus::gpu {

namespace {

constexpr const char* kSubgroupSizeControl = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME;
constexpr const char* kIntegerDotProduct = VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME;

/// A structure of a pNext chain, zeroed and typed.
template <class T>
T structure(VkStructureType type) {
  T made{};
  made.sType = type;
  return made;
}

template <class T>
void get_properties(const Vulkan& vk, VkPhysicalDevice device, T& properties) {
  auto all = structure<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
  all.pNext = &properties;
  vk.vkGetPhysicalDeviceProperties2(device, &all);
}

template <class T>
void get_features(const Vulkan& vk, VkPhysicalDevice device, T& features) {
  auto all = structure<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  all.pNext = &features;
  vk.vkGetPhysicalDeviceFeatures2(device, &all);
}

uint32_t core_count(const Vulkan& vk, VkPhysicalDevice device) {
  if (has_extension(vk, device, VK_NV_SHADER_SM_BUILTINS_EXTENSION_NAME)) {
    auto sm = structure<VkPhysicalDeviceShaderSMBuiltinsPropertiesNV>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SM_BUILTINS_PROPERTIES_NV);
    get_properties(vk, device, sm);
    return sm.shaderSMCount;
  }
  if (has_extension(vk, device, VK_AMD_SHADER_CORE_PROPERTIES_EXTENSION_NAME)) {
    auto amd = structure<VkPhysicalDeviceShaderCorePropertiesAMD>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_CORE_PROPERTIES_AMD);
    get_properties(vk, device, amd);
    return amd.shaderEngineCount * amd.shaderArraysPerEngineCount * amd.computeUnitsPerShaderArray;
  }
  return 0;
}

void report_subgroups(const Vulkan& vk, VkPhysicalDevice device, DeviceReport& report) {
  report.min_subgroup_size = report.max_subgroup_size = report.subgroup_size;
  if (!has_extension(vk, device, kSubgroupSizeControl)) return;
  auto features = structure<VkPhysicalDeviceSubgroupSizeControlFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES);
  get_features(vk, device, features);
  auto properties = structure<VkPhysicalDeviceSubgroupSizeControlProperties>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES);
  get_properties(vk, device, properties);
  report.min_subgroup_size = properties.minSubgroupSize;
  report.max_subgroup_size = properties.maxSubgroupSize;
  report.max_workgroup_subgroups = properties.maxComputeWorkgroupSubgroups;
  report.subgroup_size_control =
      features.subgroupSizeControl && features.computeFullSubgroups &&
      (properties.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0;
}

bool mixed_dot_product(const Vulkan& vk, VkPhysicalDevice device) {
  if (!has_extension(vk, device, kIntegerDotProduct)) return false;
  auto dot = structure<VkPhysicalDeviceShaderIntegerDotProductProperties>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES);
  get_properties(vk, device, dot);
  return dot.integerDotProduct4x8BitPackedMixedSignednessAccelerated;
}

/// `read`: vkGetPhysicalDeviceCooperativeMatrixProperties of either extension.
template <class Properties, class Read>
std::vector<Properties> matrix_properties(Read read, VkPhysicalDevice device,
                                          VkStructureType type) {
  uint32_t count = 0;
  if (!read || read(device, &count, nullptr) != VK_SUCCESS) return {};
  std::vector<Properties> list(count, structure<Properties>(type));
  if (read(device, &count, list.data()) < VK_SUCCESS) return {};
  list.resize(count);
  return list;
}

std::vector<MatrixShape> khr_shapes(const Vulkan& vk, VkInstance instance,
                                    VkPhysicalDevice device) {
  auto features = structure<VkPhysicalDeviceCooperativeMatrixFeaturesKHR>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR);
  get_features(vk, device, features);
  if (!features.cooperativeMatrix) return {};
  auto read = reinterpret_cast<PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR>(
      vk.vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"));
  std::vector<MatrixShape> shapes;
  for (const auto& p : matrix_properties<VkCooperativeMatrixPropertiesKHR>(
           read, device, VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR))
    shapes.push_back(
        {p.MSize, p.NSize, p.KSize,
         p.AType == VK_COMPONENT_TYPE_FLOAT16_KHR && p.BType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
             p.CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
             p.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && !p.saturatingAccumulation,
         p.scope == VK_SCOPE_SUBGROUP_KHR});
  return shapes;
}

std::vector<MatrixShape> nv_shapes(const Vulkan& vk, VkInstance instance, VkPhysicalDevice device) {
  auto features = structure<VkPhysicalDeviceCooperativeMatrixFeaturesNV>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV);
  get_features(vk, device, features);
  if (!features.cooperativeMatrix) return {};
  auto read = reinterpret_cast<PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesNV>(
      vk.vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesNV"));
  std::vector<MatrixShape> shapes;
  for (const auto& p : matrix_properties<VkCooperativeMatrixPropertiesNV>(
           read, device, VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV))
    shapes.push_back(
        {p.MSize, p.NSize, p.KSize,
         p.AType == VK_COMPONENT_TYPE_FLOAT16_NV && p.BType == VK_COMPONENT_TYPE_FLOAT16_NV &&
             p.CType == VK_COMPONENT_TYPE_FLOAT32_NV && p.DType == VK_COMPONENT_TYPE_FLOAT32_NV,
         p.scope == VK_SCOPE_SUBGROUP_NV});
  return shapes;
}

}  // namespace

void report_kernel_features(const Vulkan& vk, VkInstance instance, VkPhysicalDevice device,
                            DeviceReport& report) {
  report.cores = core_count(vk, device);
  report_subgroups(vk, device, report);
  report.mixed_dot_product = mixed_dot_product(vk, device);
  CooperativeOffer offer;
  offer.khr_built = !find_spirv("conv_coop_khr.fp16").empty();
  offer.nv_built = !find_spirv("conv_coop_nv.fp16").empty();
  if (report.cooperative_khr) offer.khr = khr_shapes(vk, instance, device);
  if (report.cooperative_nv) offer.nv = nv_shapes(vk, instance, device);
  report.cooperative = choose_cooperative(report, offer);
}

struct KernelFeatures::Storage {
  VkPhysicalDeviceSubgroupSizeControlFeatures subgroups{};
  VkPhysicalDeviceCooperativeMatrixFeaturesKHR khr{};
  VkPhysicalDeviceCooperativeMatrixFeaturesNV nv{};
};

KernelFeatures::KernelFeatures(const DeviceReport& report) : storage_(std::make_shared<Storage>()) {
  auto enable = [&](auto& features, VkStructureType type, const char* extension) {
    features.sType = type;
    features.pNext = chain;
    chain = &features;
    extensions.push_back(extension);
  };
  if (report.subgroup_size_control) {
    storage_->subgroups.subgroupSizeControl = storage_->subgroups.computeFullSubgroups = VK_TRUE;
    enable(storage_->subgroups, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
           kSubgroupSizeControl);
  }
  if (report.cooperative.kind == Cooperative::khr) {
    storage_->khr.cooperativeMatrix = VK_TRUE;
    enable(storage_->khr, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
           VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
  }
  if (report.cooperative.kind == Cooperative::nv) {
    storage_->nv.cooperativeMatrix = VK_TRUE;
    enable(storage_->nv, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV,
           VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME);
  }
}

}  // namespace vultus::gpu
