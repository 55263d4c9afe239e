#include "host/run/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "host/cpu/builder.hpp"
#include "host/cpu/probe.hpp"
#include "host/cpu/threads.hpp"
#include "host/cpu/tune.hpp"

namespace vultus {
namespace {

using cpu::Program;
using cpu::Step;

std::string_view instruction_set() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "sse41";
    case dnnl::cpu_isa::avx:
      return "avx";
    case dnnl::cpu_isa::avx2:
      return "avx2";
    case dnnl::cpu_isa::avx2_vnni:
      return "avx2_vnni";
    case dnnl::cpu_isa::avx512_core:
      return "avx512_core";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "avx512_core_vnni";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "avx512_core_bf16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "avx512_core_amx";
    default:
      return "baseline";
  }
}

class CpuPartition : public Partition {
 public:
  CpuPartition(const Graph& graph, Program program, const dnnl::engine& engine, int threads)
      : graph_(graph), program_(std::move(program)), stream_(engine), threads_(threads) {}

  Result<void> upload(ValueId input, const TensorView& data) override {
    auto it = program_.inputs.find(input);
    if (it == program_.inputs.end())
      return Error{Errc::internal, fmt::format("value {} is no input of this partition", input)};
    const Value& value = graph_.value(input);
    if (data.dtype != value.dtype || !fits(value, data.shape))
      return Error{Errc::bad_input,
                   fmt::format("input '{}' takes {} {}, got {} {}", value.name, value.shape.str(),
                               name_of(value.dtype), data.shape.str(), name_of(data.dtype))};
    if (value.dynamic_rows) program_.rows->at(input) = data.shape[0];
    if (data.size_bytes() > 0) std::memcpy(it->second, data.bytes, data.size_bytes());
    return {};
  }

  Result<void> submit() override {
    cpu::ThreadScope scope(threads_);
    VULTUS_CHECK(find_shared());
    for (Step& step : program_.steps)
      VULTUS_CHECK(execute(step));
    return {};
  }

  // oneDNN's CPU streams and our kernels have finished when submit returns.
  Result<void> wait() override { return {}; }

  Result<void> download(ValueId output, Tensor& out) override {
    auto it = program_.outputs.find(output);
    if (it == program_.outputs.end())
      return Error{Errc::internal, fmt::format("value {} is no output of this partition", output)};
    const Value& value = graph_.value(output);
    Shape shape = value.shape;
    if (value.dynamic_rows) shape[0] = program_.rows->at(output);
    if (out.dtype() != value.dtype || out.shape() != value.shape)
      out = Tensor(value.dtype, value.shape);
    if (value.dynamic_rows) out.truncate(shape[0]);
    if (out.size_bytes() > 0) std::memcpy(out.bytes(), it->second, out.size_bytes());
    return {};
  }

  PartitionStats stats() const override { return program_.stats; }
  bool reads_in_place(ValueId constant) const override {
    return program_.in_place.contains(constant);
  }
  std::vector<MemoryBlock> memory_map() const override { return program_.memory; }

  Result<std::vector<StepTime>> profile() override {
    using Clock = std::chrono::steady_clock;
    using Milliseconds = std::chrono::duration<double, std::milli>;
    cpu::ThreadScope scope(threads_);
    VULTUS_CHECK(find_shared());
    std::vector<StepTime> times;
    const auto begin = Clock::now();
    for (Step& step : program_.steps) {
      const auto start = Clock::now();
      VULTUS_CHECK(execute(step));
      const auto end = Clock::now();
      times.push_back({step.node, kernel_name(step), Milliseconds(start - begin).count(),
                       Milliseconds(end - start).count(), bytes_of(step)});
    }
    return times;
  }

 private:
  static bool fits(const Value& value, const Shape& shape) {
    if (shape == value.shape) return true;
    if (!value.dynamic_rows || shape.rank() != value.shape.rank()) return false;
    return shape[0] <= value.shape[0] &&
           std::equal(shape.begin() + 1, shape.end(), value.shape.begin() + 1, value.shape.end());
  }

  /// Shared bytes lie where their owner has them now.
  Result<void> find_shared() {
    for (const cpu::SharedOperand& shared : program_.shared) {
      if (!shared.bytes->data())
        return Error{Errc::internal, "a CPU partition reads shared bytes that were never written"};
      Step& step = program_.steps[shared.step];
      auto* at = const_cast<std::byte*>(shared.bytes->data());  // operands of inputs are only read
      if (step.kernel)
        step.addresses[shared.operand] = at;
      else
        step.memories[shared.operand].set_data_handle(at);
    }
    return {};
  }

  Result<void> execute(Step& step) {
    auto done = cpu::execute(step, stream_);
    if (done || step.kernel) return done;
    return Error{done.error().code,
                 fmt::format("{}: {}", step.node < 0 ? "" : describe(graph_.node(step.node)),
                             done.error().what)};
  }

  /// oneDNN's name of the implementation, or "plain" for kernels of ours.
  static std::string kernel_name(const Step& step) {
    if (step.kernel) return "plain";
    const char* name = nullptr;
    const_dnnl_primitive_desc_t description = nullptr;
    if (dnnl_primitive_get_primitive_desc(step.primitive.get(), &description) != dnnl_success ||
        dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name) != dnnl_success)
      return "oneDNN";
    return step.reorder ? fmt::format("reorder {}", name) : name;
  }

  static int64_t bytes_of(const Step& step) {
    int64_t sum = 0;
    for (size_t i = 0; i < step.operands.size(); ++i) {
      auto same = [&](const cpu::Argument& a) {
        return a.operand.buffer == step.operands[i].operand.buffer;
      };
      if (std::none_of(step.operands.begin(),
                       step.operands.begin() + static_cast<std::ptrdiff_t>(i), same))
        sum += static_cast<int64_t>(step.operands[i].operand.desc.get_size());
    }
    return sum;
  }

  const Graph& graph_;
  Program program_;
  dnnl::stream stream_;
  int threads_;
};

DeviceInfo describe_cpu(int threads) {
  const dnnl_version_t* version = dnnl::version();
  DeviceInfo info;
  info.name = cpu::cpu_name();
  info.driver = fmt::format("oneDNN {}.{}.{} {}, {} threads", version->major, version->minor,
                            version->patch, instruction_set(), threads);
  return info;
}

class CpuDevice : public Device {
 public:
  CpuDevice(int threads, const std::string& cache_folder)
      : engine_(dnnl::engine::kind::cpu, 0),
        info_(describe_cpu(threads)),
        threads_(threads),
        cache_folder_(cache_folder),
        timings_(cache_folder, fmt::format("{}|{}", info_.name, info_.driver)) {}

  const DeviceInfo& info() const override { return info_; }

  Support supports(const Graph& graph, const Node& node, Precision) const override {
    const Op* op = find_op(node.op);
    if (!op) return Support::no(fmt::format("{}: unknown operator", describe(node)));
    if (!op->has_plain_kernel() && !op->build)
      return Support::no(fmt::format("{}: no CPU kernel", describe(node)));
    auto dynamic = [&](ValueId v) { return v != kNoValue && graph.value(v).dynamic_rows; };
    if (std::ranges::any_of(node.inputs, dynamic) && !std::ranges::all_of(node.outputs, dynamic))
      return Support::no(fmt::format("{}: reads a result whose length is known only after running",
                                     describe(node)));
    return Support::yes();
  }

  Result<std::unique_ptr<DeviceBytes>> share(size_t capacity) override {
    return std::unique_ptr<DeviceBytes>(std::make_unique<cpu::HostBytes>(capacity));
  }

  Result<std::unique_ptr<Partition>> compile(const Graph& graph,
                                             const PartitionSpec& spec) override {
    for (const PartitionSpec::Shared& shared : spec.shared)
      if (!dynamic_cast<const cpu::HostBytes*>(shared.bytes))
        return Error{Errc::internal, fmt::format("'{}' is shared on another device than the CPU",
                                                 graph.value(shared.value).name)};
    // Primitives remember the number of threads they were made for.
    cpu::ThreadScope scope(threads_);
    try {
      if (spec.tuning == Tuning::measure) VULTUS_CHECK(cpu::tune(graph, spec, engine_, timings_));
      cpu::ConvWish wish;
      if (spec.tuning != Tuning::rules && !timings_.empty())
        wish = [this](const std::string& key) { return timings_.find(key); };
      VULTUS_TRY(Program program,
                 cpu::Builder(graph, spec, engine_, wish, workspace_for(spec)).finish());
      return std::unique_ptr<Partition>(
          std::make_unique<CpuPartition>(graph, std::move(program), engine_, threads_));
    } catch (const dnnl::error& error) {
      return Error{Errc::internal,
                   fmt::format("oneDNN refused network '{}': {}", graph.name, error.message)};
    } catch (const std::bad_alloc&) {
      return Error{Errc::out_of_memory,
                   fmt::format("not enough memory for network '{}'", graph.name)};
    }
  }

  Result<DeviceSpeed> speed(bool again) override {
    return cached_speed(cache_folder_, fmt::format("{}|{}", info_.name, info_.driver), again,
                        [this] { return cpu::probe(threads_); });
  }

 private:
  /// Reserved when first asked for.
  std::shared_ptr<cpu::Workspace> workspace_for(const PartitionSpec& spec) {
    constexpr size_t kBytes = size_t{1} << 30;
    if (spec.share_workspace && !workspace_) workspace_ = cpu::Workspace::reserve(kBytes);
    return spec.share_workspace ? workspace_ : nullptr;
  }

  dnnl::engine engine_;
  std::shared_ptr<cpu::Workspace> workspace_;
  DeviceInfo info_;
  int threads_;
  std::string cache_folder_;
  cpu::ConvTimings timings_;
};

}  // namespace

Result<std::unique_ptr<Device>> open_cpu(int threads, const std::string& cache_folder) {
  if (threads < 0 || threads > 1024)
    return Error{Errc::usage, fmt::format("{} CPU threads: give 1 to 1024, or 0 for all", threads)};
  try {
    return std::unique_ptr<Device>(std::make_unique<CpuDevice>(
        threads > 0 ? threads : cpu::available_threads(), cache_folder));
  } catch (const dnnl::error& error) {
    return Error{Errc::no_device, fmt::format("oneDNN does not start: {}", error.message)};
  }
}

}  // namespace vultus
