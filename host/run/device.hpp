#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"
#include "host/run/run_times.hpp"
#include "host/run/speed.hpp"

namespace vultus {

enum class DeviceKind : uint8_t { cpu, gpu };
enum class Precision : uint8_t { fp32, fp16 };
/// Where choices between kernels come from, and between devices.
enum class Tuning : uint8_t {
  rules,    ///< rules and models only: the same on every run
  cached,   ///< what was timed on this machine before, rules for the rest
  measure,  ///< time what was not timed yet, and keep it
};
std::string_view name_of(DeviceKind kind);
std::string_view name_of(Precision precision);

struct DeviceInfo {
  DeviceKind kind = DeviceKind::cpu;
  std::string name;    ///< as the driver tells it
  std::string driver;  ///< driver name and version; oneDNN version and instruction set on the CPU
  std::string uuid;    ///< empty on the CPU
  bool software =
      false;  ///< a Vulkan device that is the CPU in disguise: for tests, never chosen by itself
};

/// Whether a device can run a node; if not, why ("TopK: no GPU kernel for k = 70").
struct Support {
  bool ok = false;
  std::string reason;
  static Support yes() { return {true, {}}; }
  static Support no(std::string reason) { return {false, std::move(reason)}; }
};

class Partition;

/// Memory that partitions of one device read as an input together, such as the picture that several
/// networks look at. One thread at a time. The device outlives it.
class DeviceBytes {
 public:
  virtual ~DeviceBytes() = default;
  /// New contents, the parts one behind the other, at most the capacity, for runs submitted from
  /// now on; what lies behind them is unspecified. The bytes stay where they are, unchanged, until
  /// the last of those runs has ended: the CPU reads one part in place.
  virtual Result<void> write(std::span<const std::span<const std::byte>> parts) = 0;
};

/// The part of a graph that one device runs in one go.
struct PartitionSpec {
  /// A value that an earlier partition of the same device has made, and that stays there.
  struct Import {
    ValueId value = kNoValue;
    const Partition* from = nullptr;  ///< outlives this one
  };
  /// A graph input of type u8 that lies in memory of the device's own `share`.
  struct Shared {
    ValueId value = kNoValue;
    const DeviceBytes* bytes = nullptr;  ///< outlives the partition
  };
  std::vector<NodeId> nodes;     ///< topological order
  std::vector<ValueId> inputs;   ///< non-constant values that come from host memory
  std::vector<ValueId> outputs;  ///< values that go to host memory
  std::vector<Import> imports = {};
  std::vector<Shared> shared = {};
  std::vector<ValueId> exports = {};  ///< values that later partitions import
  Precision precision = Precision::fp32;
  std::vector<NodeId> keep_fp32 = {};  ///< of the nodes: stored in fp32 whatever the precision
  size_t slots = 1;                    ///< runs that should find room to be in flight at once
  Tuning tuning = Tuning::rules;
  /// Activations may lie where those of other such partitions of the device do: between runs
  /// nothing is kept, inputs neither.
  bool share_workspace = false;
};

struct PartitionStats {
  int64_t dispatches = 0;  ///< GPU dispatches, or CPU primitives
  int64_t barriers = 0;
  int64_t reorders = 0;         ///< layout conversions among the dispatches
  int64_t arena_bytes = 0;      ///< planned activation memory
  int64_t unplanned_bytes = 0;  ///< what the same tensors would take without aliasing
  int64_t weight_bytes = 0;
  int64_t upload_bytes = 0;  ///< host to device per run; 0 on the CPU
  int64_t download_bytes = 0;
  int64_t choices = 0;          ///< dispatches that several kernels can compute
  int64_t timed_choices = 0;    ///< of these, chosen because they were the fastest here
  int64_t changed_choices = 0;  ///< of those, other than by the rules
};

/// A piece of a partition's arena. Steps are the partition's own: dispatches that run side by side
/// share one on the GPU, where the first uploads and the last downloads; primitives on the CPU.
struct MemoryBlock {
  std::string name;    ///< of the values that lie there, or of what uses it
  int64_t offset = 0;  ///< bytes
  int64_t bytes = 0;
  int first = 0, last = 0;  ///< steps during which nothing else may lie there, both included
};

/// One timed piece of a run: a dispatch, a CPU primitive, or a copy between host and device.
struct StepTime {
  NodeId node = -1;     ///< -1: belongs to no node
  std::string kernel;   ///< shader or primitive; "upload" and "download" for the copies
  double start_ms = 0;  ///< since the run began
  double ms = 0;
  int64_t bytes = 0;     ///< of all operands, each once
  size_t partition = 0;  ///< set by the session
};
/// Milliseconds by node, what belongs to none left out.
std::map<NodeId, double> node_times(const std::vector<StepTime>& steps);

/// A compiled partition: everything that can fail at load has succeeded; running it allocates
/// nothing. One thread at a time. Use: upload every input, submit, wait, download. With several
/// slots a run may be submitted in one while another slot's is under way; runs finish in order.
class Partition {
 public:
  virtual ~Partition() = default;
  /// Row-major host data of an input of the spec, with its type and shape. Copied before return.
  virtual Result<void> upload(ValueId input, const TensorView& data) = 0;
  virtual Result<void> submit() = 0;
  /// The only place where a device fault appears.
  virtual Result<void> wait() = 0;
  /// Copies an output of the spec into `out` (its type and shape are the value's; `dynamic_rows`
  /// truncates it).
  virtual Result<void> download(ValueId output, Tensor& out) = 0;
  virtual PartitionStats stats() const = 0;
  /// Whether it reads the graph's elements of that constant from now on; false where it has made a
  /// copy or has no use for them.
  virtual bool reads_in_place(ValueId /*constant*/) const { return true; }
  /// Every block of the arena, by offset.
  virtual std::vector<MemoryBlock> memory_map() const { return {}; }
  /// Runs once more with the present inputs and times every step, one after the other, in order.
  virtual Result<std::vector<StepTime>> profile() = 0;
  /// Of the selected slot's last run, once `wait` has returned: when a device with a clock of its
  /// own copied and computed. Nothing where the host's clock tells, or nobody.
  virtual std::optional<DeviceTimes> device_times() { return {}; }
  /// Runs that have room of their own for inputs and outputs; at most the spec's wish.
  virtual size_t slots() const { return 1; }
  /// The slot that the calls above are about from now on; 0 at first. Less than `slots()`.
  virtual void select(size_t /*slot*/) {}
};

/// The seam: the CPU is one device behind it, Vulkan another, a fake one in tests a third.
class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  virtual Support supports(const Graph& graph, const Node& node, Precision precision) const = 0;
  /// The graph outlives the partition.
  virtual Result<std::unique_ptr<Partition>> compile(const Graph& graph,
                                                     const PartitionSpec& spec) = 0;
  /// What the device reaches at best; measured once, then kept in the cache folder. `again`:
  /// measured once more, in case it was busy then.
  virtual Result<DeviceSpeed> speed(bool /*again*/ = false) { return DeviceSpeed{}; }
  /// Whether its partitions can import what others of them have made.
  virtual bool hands_over() const { return false; }
  /// Room for `capacity` bytes that partitions read as `PartitionSpec::shared`.
  virtual Result<std::unique_ptr<DeviceBytes>> share(size_t capacity);
};

/// The CPU device: oneDNN where it has a primitive, plain kernels elsewhere. `threads` 0: what the
/// cgroup allows. `cache_folder`: of timings; empty: $XDG_CACHE_HOME/vultus. "-": none.
Result<std::unique_ptr<Device>> open_cpu(int threads = 0, const std::string& cache_folder = {});

}  // namespace vultus
