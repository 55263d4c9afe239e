#include "gpu/kernel.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vultus::gpu {

namespace {

Error wrong(const Dispatch& dispatch, const std::string& what) {
  return {Errc::internal, fmt::format("kernel {}: {}", dispatch.kernel, what)};
}

Result<void> check_bindings(const Dispatch& dispatch, const Reflection& shader) {
  size_t given = dispatch.bindings.size();
  if (given != shader.bindings.size())
    return wrong(dispatch, fmt::format("{} buffers are bound, the shader uses {}", given,
                                       shader.bindings.size()));
  for (const auto& [number, declared] : shader.bindings) {
    if (number >= given)
      return wrong(dispatch,
                   fmt::format("the shader declares binding {}, {} are bound", number, given));
    Access access = dispatch.bindings[number].access;
    if (access == Access::read && !declared.readonly)
      return wrong(
          dispatch,
          fmt::format("binding {} is bound for reading but not declared readonly", number));
    if (access != Access::read && declared.readonly)
      return wrong(dispatch,
                   fmt::format("binding {} is bound for writing but declared readonly", number));
    if (access == Access::read_write && declared.writeonly)
      return wrong(dispatch,
                   fmt::format("binding {} is bound for reading but declared writeonly", number));
  }
  return {};
}

}  // namespace

Result<void> check_dispatch(const Dispatch& dispatch, const Reflection& shader,
                            const VkPhysicalDeviceLimits& limits) {
  VULTUS_CHECK(check_bindings(dispatch, shader));
  if (!shader.spec_ids.empty() && shader.spec_ids.back() >= dispatch.spec.size())
    return wrong(dispatch, fmt::format("specialisation constant {} is not set ({} given)",
                                       shader.spec_ids.back(), dispatch.spec.size()));
  // A C++ struct may end in padding that the block does not have.
  size_t padded = (size_t{shader.push_bytes} + 15) / 16 * 16;
  if (dispatch.push.size() < shader.push_bytes || dispatch.push.size() > padded)
    return wrong(dispatch, fmt::format("{} bytes of push constants, the shader declares {}",
                                       dispatch.push.size(), shader.push_bytes));
  if (shader.push_bytes > limits.maxPushConstantsSize)
    return wrong(dispatch, fmt::format("{} bytes of push constants, the device has {}",
                                       shader.push_bytes, limits.maxPushConstantsSize));
  auto local = shader.local_size_with(dispatch.spec);
  uint64_t invocations = 1;
  for (size_t i = 0; i < 3; ++i) {
    if (local[i] == 0 || local[i] > limits.maxComputeWorkGroupSize[i])
      return wrong(dispatch, fmt::format("local size {} on axis {}, the device allows {}", local[i],
                                         i, limits.maxComputeWorkGroupSize[i]));
    invocations *= local[i];
    uint64_t groups = (uint64_t{dispatch.threads[i]} + local[i] - 1) / local[i];
    if (groups == 0) return wrong(dispatch, fmt::format("no threads on axis {}", i));
    if (groups > limits.maxComputeWorkGroupCount[i])
      return wrong(dispatch,
                   fmt::format("{} workgroups on axis {}, the device allows {}: the tensor is too "
                               "large for this GPU, use a smaller input or --device cpu",
                               groups, i, limits.maxComputeWorkGroupCount[i]));
  }
  if (invocations > limits.maxComputeWorkGroupInvocations)
    return wrong(dispatch, fmt::format("{} threads in a workgroup, the device allows {}",
                                       invocations, limits.maxComputeWorkGroupInvocations));
  return {};
}

Kernels::~Kernels() {
  const Vulkan& vk = context_.vk();
  for (auto& [key, entry] : kernels_)
    vk.vkDestroyPipeline(context_.device(), entry.kernel.pipeline, nullptr);
  for (auto& [name, shader] : shaders_)
    destroy(shader);
}

void Kernels::destroy(const Shader& shader) {
  const Vulkan& vk = context_.vk();
  if (shader.layout) vk.vkDestroyPipelineLayout(context_.device(), shader.layout, nullptr);
  if (shader.set_layout)
    vk.vkDestroyDescriptorSetLayout(context_.device(), shader.set_layout, nullptr);
  if (shader.module) vk.vkDestroyShaderModule(context_.device(), shader.module, nullptr);
}

Result<const Kernel*> Kernels::get(const Dispatch& dispatch) {
  std::string name = fmt::format("{}.{}", dispatch.kernel, name_of(dispatch.precision));
  std::unique_lock lock(mutex_);
  VULTUS_TRY(const Shader* found, shader(name));
  VULTUS_CHECK(check_dispatch(dispatch, found->reflection, context_.properties().limits));
  Entry& entry = kernels_[{name, dispatch.subgroup_size, dispatch.spec}];
  lock.unlock();

  std::lock_guard compiling(entry.mutex);
  if (entry.kernel.pipeline) return &entry.kernel;
  VULTUS_TRY(VkPipeline pipeline, create_pipeline(*found, dispatch, name));
  entry.kernel = {pipeline, found->layout, found->set_layout,
                  found->reflection.local_size_with(dispatch.spec), found->reflection.push_bytes};
  return &entry.kernel;
}

Result<const Kernels::Shader*> Kernels::shader(const std::string& name) {
  if (auto it = shaders_.find(name); it != shaders_.end()) return &it->second;
  std::span<const uint32_t> words = find_spirv(name);
  if (words.empty())
    return Error{Errc::internal, fmt::format("no shader '{}' is built into this program", name)};
  VULTUS_TRY(Reflection reflection, reflect(words));
  Shader made{.reflection = std::move(reflection)};
  if (auto created = create_shader(made, words, name); !created) {
    destroy(made);
    return created.error();
  }
  return &shaders_.emplace(name, std::move(made)).first->second;
}

Result<void> Kernels::create_shader(Shader& shader, std::span<const uint32_t> words,
                                    const std::string& name) {
  const Vulkan& vk = context_.vk();
  std::vector<VkDescriptorSetLayoutBinding> bindings;
  for (const auto& [number, buffer] : shader.reflection.bindings)
    bindings.push_back(
        {number, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
  VkDescriptorSetLayoutCreateInfo set{};
  set.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
  set.bindingCount = static_cast<uint32_t>(bindings.size());
  set.pBindings = bindings.data();
  VULTUS_VK(vk.vkCreateDescriptorSetLayout(context_.device(), &set, nullptr, &shader.set_layout),
            "loading shader " + name);
  VkPushConstantRange push{VK_SHADER_STAGE_COMPUTE_BIT, 0,
                           (shader.reflection.push_bytes + 3) / 4 * 4};
  VkPipelineLayoutCreateInfo layout{};
  layout.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
  layout.setLayoutCount = 1;
  layout.pSetLayouts = &shader.set_layout;
  layout.pushConstantRangeCount = push.size ? 1 : 0;
  layout.pPushConstantRanges = &push;
  VULTUS_VK(vk.vkCreatePipelineLayout(context_.device(), &layout, nullptr, &shader.layout),
            "loading shader " + name);
  VkShaderModuleCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
  info.codeSize = words.size_bytes();
  info.pCode = words.data();
  VULTUS_VK(vk.vkCreateShaderModule(context_.device(), &info, nullptr, &shader.module),
            "loading shader " + name);
  return {};
}

Result<VkPipeline> Kernels::create_pipeline(const Shader& shader, const Dispatch& dispatch,
                                            const std::string& name) {
  const std::vector<uint32_t>& spec = dispatch.spec;
  std::vector<VkSpecializationMapEntry> entries;
  for (uint32_t id : shader.reflection.spec_ids)
    entries.push_back({id, id * 4, 4});
  VkSpecializationInfo constants{static_cast<uint32_t>(entries.size()), entries.data(),
                                 spec.size() * 4, spec.data()};
  VkComputePipelineCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
  info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
  info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
  info.stage.module = shader.module;
  info.stage.pName = "main";
  info.stage.pSpecializationInfo = entries.empty() ? nullptr : &constants;
  info.layout = shader.layout;
  VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup{};
  subgroup.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO;
  subgroup.requiredSubgroupSize = dispatch.subgroup_size;
  if (dispatch.subgroup_size > 0) {
    info.stage.pNext = &subgroup;
    info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT_EXT;
  }
  VkPipeline pipeline = VK_NULL_HANDLE;
  VULTUS_VK(context_.vk().vkCreateComputePipelines(context_.device(), cache_, 1, &info, nullptr,
                                                   &pipeline),
            fmt::format("compiling kernel {}", name));
  return pipeline;
}

}  // namespace vultus::gpu
