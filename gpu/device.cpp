#include "gpu/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gpu/kernel.hpp"
#include "gpu/layout.hpp"
#include "gpu/partition.hpp"

namespace vultus::gpu {

namespace {

class VulkanDevice : public Device {
 public:
  explicit VulkanDevice(std::unique_ptr<Context> context)
      : context_(std::move(context)), kernels_(*context_, VK_NULL_HANDLE) {
    const DeviceReport& report = context_->report();
    info_ = {DeviceKind::gpu, report.name, report.driver, report.uuid, report.type == "software"};
  }

  const DeviceInfo& info() const override { return info_; }
  Support supports(const Graph& graph, const Node& node, Precision precision) const override;
  Result<std::unique_ptr<Partition>> compile(const Graph& graph,
                                             const PartitionSpec& spec) override {
    if (spec.precision == Precision::fp16 && !context_->caps().storage16)
      return Error{Errc::no_device,
                   fmt::format("{} has no 16-bit storage: use --precision fp32", info_.name)};
    return VulkanPartition::create(*context_, kernels_, graph, spec);
  }
  Context& context() const { return *context_; }

 private:
  std::unique_ptr<Context> context_;
  Kernels kernels_;
  DeviceInfo info_;
};

/// Why a value cannot be on the device; empty when it can.
std::string refusal(const Value& value, Precision precision, const Caps& caps) {
  if (!has_device_form(value.dtype))
    return fmt::format("'{}' is {}, which the GPU does not handle", value.name,
                       name_of(value.dtype));
  uint64_t bytes = layout_bytes(value.shape, value.dtype, Layout::linear, precision);
  if (fits_nhwc8(value))
    bytes = std::max(bytes, layout_bytes(value.shape, value.dtype, Layout::nhwc8, precision));
  if (bytes > caps.max_storage_range)
    return fmt::format("'{}' takes {} bytes, the device lets a kernel see {}", value.name, bytes,
                       caps.max_storage_range);
  if (value.constant && value.dtype == DType::f32 && precision == Precision::fp16)
    for (float v : value.constant->as<float>())
      if (std::isfinite(v) && std::abs(v) >= kHalfOverflow)
        return fmt::format("'{}' holds {}, which does not fit fp16", value.name, v);
  return {};
}

Support VulkanDevice::supports(const Graph& graph, const Node& node, Precision precision) const {
  const GpuOp* op = find_gpu_op(node.op);
  if (!op) return Support::no(fmt::format("{}: no GPU kernel", node.op));
  const Caps& caps = context_->caps();
  if (precision == Precision::fp16 && !caps.storage16)
    return Support::no("the device has no 16-bit storage, use --precision fp32");
  for (ValueId v : node.inputs) {
    if (v == kNoValue) continue;
    if (graph.value(v).dynamic_rows)
      return Support::no(fmt::format("{}: the length of '{}' is known only after running", node.op,
                                     graph.value(v).name));
    if (std::string why = refusal(graph.value(v), precision, caps); !why.empty())
      return Support::no(fmt::format("{}: {}", node.op, why));
  }
  for (ValueId v : node.outputs) {
    if (v == kNoValue) continue;
    if (graph.value(v).dynamic_rows && !is_integer(graph.value(v).dtype))
      return Support::no(fmt::format("{}: the length of '{}' is known only after running", node.op,
                                     graph.value(v).name));
    if (std::string why = refusal(graph.value(v), precision, caps); !why.empty())
      return Support::no(fmt::format("{}: {}", node.op, why));
  }
  return op->supports ? op->supports(graph, node, caps) : Support::yes();
}

}  // namespace

Result<std::vector<DeviceReport>> list_devices() {
  VULTUS_TRY(auto instance, Instance::create(false));
  VULTUS_TRY(auto physical, instance->physical_devices());
  std::vector<DeviceReport> reports;
  for (size_t i = 0; i < physical.size(); ++i)
    reports.push_back(instance->report(physical[i], static_cast<int>(i)));
  return reports;
}

Result<std::unique_ptr<Device>> open(const OpenOptions& options) {
  VULTUS_TRY(auto context, Context::create(options));
  return std::unique_ptr<Device>(std::make_unique<VulkanDevice>(std::move(context)));
}

std::vector<std::string> take_validation_messages(Device& device) {
  auto* vulkan = dynamic_cast<VulkanDevice*>(&device);
  if (!vulkan) return {};
  MessageLog& log = vulkan->context().instance().log();
  std::lock_guard lock(log.mutex);
  return std::exchange(log.texts, {});
}

bool validated(const Device& device) {
  auto* vulkan = dynamic_cast<const VulkanDevice*>(&device);
  return vulkan && vulkan->context().instance().validated();
}

}  // namespace vultus::gpu
