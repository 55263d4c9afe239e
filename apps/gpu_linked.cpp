#include <fmt/format.h>

#include "apps/common.hpp"
#include "gpu/builder.hpp"
#include "gpu/device_class.hpp"

namespace vultus::app {

Result<std::unique_ptr<Device>> open_gpu(const EngineOptions& wanted, bool allow_software) {
  gpu::OpenOptions options;
  options.selector = wanted.gpu_selector;
  options.conv.family = gpu::parse_conv_family(wanted.conv).value_or(gpu::ConvFamily::automatic);
  options.allow_software = allow_software;
  return gpu::open(options);
}

Json describe_gpus() {
  auto reports = gpu::list_devices();
  if (!reports) return {{"error", reports.error().what}};
  Json list = Json::array();
  for (const gpu::DeviceReport& r : *reports) {
    std::string use = r.usable() ? "used by --device auto and gpu" : "not used: " + r.refusal;
    if (r.usable() && r.type == "software")
      use = "used by --device gpu only: it is the CPU in disguise, for tests";
    gpu::DeviceClass device_class = gpu::classify(r);
    list.push_back(
        {{"index", r.index},
         {"name", r.name},
         {"use", use},
         {"type", r.type},
         {"driver", r.driver},
         {"api", r.api},
         {"uuid", r.uuid},
         {"precisions", r.storage16 ? "fp16, fp32" : "fp32 (no 16-bit storage buffers)"},
         {"float16_arithmetic", r.float16},
         {"class", fmt::format("{} ({})", gpu::name_of(device_class.tier), device_class.reason)},
         {"cooperative_matrix_khr", r.cooperative_khr},
         {"cooperative_matrix_nv", r.cooperative_nv},
         {"cooperative_matrix_used",
          fmt::format("{} ({})", gpu::name_of(r.cooperative.kind), r.cooperative.reason)},
         {"subgroup_size", r.subgroup_size},
         {"timeline_semaphores", r.timeline},
         {"timestamp_bits", r.timestamp_bits},
         {"memory_mib", r.memory_bytes >> 20},
         {"max_tensor_mib", r.max_storage_range >> 20},
         {"max_workgroup_memory_kib", r.max_shared_bytes >> 10}});
  }
  return {{"devices", list}};
}

bool has_gpu_kernel(std::string_view op) {
  return gpu::find_gpu_op(op) != nullptr;
}

}  // namespace vultus::app
