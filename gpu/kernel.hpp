#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "gpu/builder.hpp"
#include "gpu/context.hpp"
#include "gpu/spirv.hpp"

namespace vultus::gpu {

/// A compiled compute pipeline: one embedded shader with its specialisation constants set.
struct Kernel {
  VkPipeline pipeline = VK_NULL_HANDLE;
  VkPipelineLayout layout = VK_NULL_HANDLE;
  VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
  std::array<uint32_t, 3> local_size{1, 1, 1};
  uint32_t push_bytes = 0;
};

/// Says what is wrong with a dispatch: unknown constants, bindings or access that the shader does
/// not declare, a push block of another size, more workgroups than the device allows.
Result<void> check_dispatch(const Dispatch& dispatch, const Reflection& shader,
                            const VkPhysicalDeviceLimits& limits);

/// Pipelines of a device by (shader, storage type, specialisation constants), each made once.
class Kernels {
 public:
  Kernels(const Context& context, VkPipelineCache cache) : context_(context), cache_(cache) {}
  ~Kernels();
  Kernels(const Kernels&) = delete;
  Kernels& operator=(const Kernels&) = delete;

  /// The pipeline for a dispatch, after checking it. Stays valid as long as this object. Any
  /// thread.
  Result<const Kernel*> get(const Dispatch& dispatch);

 private:
  struct Shader {
    Reflection reflection;
    VkShaderModule module = VK_NULL_HANDLE;
    VkDescriptorSetLayout set_layout = VK_NULL_HANDLE;
    VkPipelineLayout layout = VK_NULL_HANDLE;
  };
  struct Entry {
    std::mutex mutex;  ///< held while compiling
    Kernel kernel;
  };
  Result<const Shader*> shader(const std::string& name);
  Result<void> create_shader(Shader& shader, std::span<const uint32_t> words,
                             const std::string& name);
  void destroy(const Shader& shader);
  Result<VkPipeline> create_pipeline(const Shader& shader, const Dispatch& dispatch,
                                     const std::string& name);

  const Context& context_;
  VkPipelineCache cache_;
  std::mutex mutex_;  ///< of the maps, whose elements never move
  std::map<std::string, Shader> shaders_;
  std::map<std::tuple<std::string, uint32_t, std::vector<uint32_t>>, Entry> kernels_;
};

}  // namespace vultus::gpu
