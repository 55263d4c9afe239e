#include <cassert>
#include <map>

#include "gpu/builder.hpp"

namespace vultus::gpu {

namespace {

std::map<std::string_view, GpuOp>& registry() {
  static std::map<std::string_view, GpuOp> ops;
  return ops;
}

}  // namespace

RegisterGpu::RegisterGpu(const GpuOp& op) {
  [[maybe_unused]] bool fresh = registry().emplace(op.name, op).second;
  assert(fresh && "two GPU kernels for one operator");
}

const GpuOp* find_gpu_op(std::string_view name) {
  auto it = registry().find(name);
  return it == registry().end() ? nullptr : &it->second;
}

}  // namespace vultus::gpu
