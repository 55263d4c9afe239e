#include "gpu/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gpu/kernel.hpp"
#include "gpu/layout.hpp"
#include "gpu/partition.hpp"
#include "gpu/pipeline_cache.hpp"
#include "gpu/probe.hpp"
#include "gpu/shared_buffer.hpp"

namespace vultus::gpu {

namespace {

class VulkanDevice : public Device {
 public:
  VulkanDevice(std::unique_ptr<Context> context, const std::string& cache_folder)
      : context_(std::move(context)),
        cache_folder_(cache_folder),
        cache_(*context_, cache_folder),
        kernels_(*context_, cache_.handle()),
        timings_(cache_folder, context_->report()) {
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
    return VulkanPartition::create(*context_, kernels_, timings_, graph, spec);
  }
  Result<DeviceSpeed> speed(bool again) override {
    return cached_speed(cache_folder_,
                        fmt::format("{}|{}|{}", info_.uuid, info_.name, info_.driver), again,
                        [this] { return probe(*context_, kernels_); });
  }
  bool hands_over() const override { return true; }
  Result<std::unique_ptr<DeviceBytes>> share(size_t capacity) override {
    return SharedBuffer::create(*context_, capacity);
  }
  Context& context() const { return *context_; }

 private:
  std::unique_ptr<Context> context_;
  std::string cache_folder_;
  PipelineCache cache_;
  Kernels kernels_;
  ConvTimings timings_;
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
  return {};
}

bool overflows_fp16(const Tensor* constant) {
  if (!constant || constant->dtype() != DType::f32) return false;
  auto values = constant->as<float>();
  return std::any_of(values.begin(), values.end(),
                     [](float v) { return std::isfinite(v) && std::abs(v) >= kHalfOverflow; });
}

/// By operators that take fp16.
bool is_read_rounded(const Graph& graph, const Node& node) {
  return std::ranges::any_of(graph.nodes, [&](const Node& reader) {
    const GpuOp* op = find_gpu_op(reader.op);
    if (op && op->exact_inputs) return false;
    return std::ranges::any_of(reader.inputs, [&](ValueId v) {
      return v != kNoValue && std::ranges::find(node.outputs, v) != node.outputs.end();
    });
  });
}

/// Builds the node alone, without touching the device: whether a constant that fp16 cannot hold is
/// stored on the device or only read while building (the bounds of Clip) is known to the kernel.
Result<void> try_build(const Context& context, const Graph& graph, const Node& node) {
  PartitionSpec spec;
  spec.precision = Precision::fp16;
  spec.nodes = {static_cast<NodeId>(&node - graph.nodes.data())};
  for (ValueId v : node.inputs)
    if (v != kNoValue && !graph.value(v).constant) spec.inputs.push_back(v);
  auto built = build_partition(context, graph, spec);
  if (!built) return built.error();
  return {};
}

Support VulkanDevice::supports(const Graph& graph, const Node& node, Precision precision) const {
  const GpuOp* op = find_gpu_op(node.op);
  if (!op) return Support::no(fmt::format("{}: no GPU kernel", node.op));
  const Caps& caps = context_->caps();
  if (precision == Precision::fp16 && !caps.storage16)
    return Support::no("the device has no 16-bit storage, use --precision fp32");
  bool overflow = false;
  auto refuse = [&](ValueId v, bool input) -> std::string {
    if (v == kNoValue) return {};
    const Value& value = graph.value(v);
    // Rows are written as integers, -1 where there is none; what is downstream counts them first.
    if (value.dynamic_rows && (input || !is_integer(value.dtype)))
      return fmt::format("the length of '{}' is known only after running", value.name);
    if (value.dtype == DType::u8 && !(input && op->reads_bytes))
      return fmt::format("'{}' is {}, which its kernel does not handle", value.name,
                         name_of(value.dtype));
    if (precision == Precision::fp16 && input) overflow |= overflows_fp16(value.constant.get());
    return refusal(value, precision, caps);
  };
  for (ValueId v : node.inputs)
    if (std::string why = refuse(v, true); !why.empty())
      return Support::no(fmt::format("{}: {}", node.op, why));
  for (ValueId v : node.outputs)
    if (std::string why = refuse(v, false); !why.empty())
      return Support::no(fmt::format("{}: {}", node.op, why));
  if (precision == Precision::fp16 && op->exact_results && is_read_rounded(graph, node))
    return Support::no(fmt::format(
        "{}: other layers read its results, which fp16 would round: use --precision fp32",
        node.op));
  Support support = op->supports ? op->supports(graph, node, caps) : Support::yes();
  if (support.ok && overflow)
    if (auto built = try_build(*context_, graph, node); !built)
      return Support::no(built.error().what);
  return support;
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
  return std::unique_ptr<Device>(
      std::make_unique<VulkanDevice>(std::move(context), options.cache_folder));
}

Result<void> force_convolutions(Device& device, const ConvForce& force) {
  auto* vulkan = dynamic_cast<VulkanDevice*>(&device);
  if (!vulkan)
    return Error{Errc::usage, "convolution kernels can be forced on a Vulkan device only"};
  return vulkan->context().force_convolutions(force);
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
