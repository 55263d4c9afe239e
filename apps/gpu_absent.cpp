#include "apps/common.hpp"

namespace vultus::app {

namespace {
constexpr const char* kAbsent = "this build has no Vulkan device (built with VULTUS_GPU=OFF)";
}

Result<std::unique_ptr<Device>> open_gpu(const EngineOptions&, bool) {
  return Error{Errc::no_device, kAbsent};
}

Json describe_gpus() {
  return {{"error", kAbsent}};
}

bool has_gpu_kernel(std::string_view) {
  return false;
}

}  // namespace vultus::app
