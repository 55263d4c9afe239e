#pragma once

#include <map>
#include <optional>

#include "gpu/builder.hpp"
#include "gpu/context.hpp"

namespace vultus::gpu {

/// How an output of the partition comes down: the bytes of `source`, as float32, int32 or booleans.
struct Download {
  ValueId value = kNoValue;
  TensorRef source;  ///< linear; float32 elements when not an integer
};
/// A value that stays on the device between two partitions, or that partitions share.
struct Handover {
  ValueId value = kNoValue;
  TensorRef source;  ///< buffer of the partition that exports it
  Precision precision = Precision::fp32;
  uint64_t bytes = 0;  ///< of the buffer
};
struct Upload {
  ValueId value = kNoValue;
  uint64_t offset = 0;  ///< in the staging buffer and in the upload block
};

/// A dispatch that several kernels can compute.
struct Choice {
  struct Alternative {
    ConvTactic tactic;
    Dispatch dispatch;
  };
  ConvKey key;
  ConvTactic rule, used;
  bool timed = false;               ///< `used` was the fastest here
  std::vector<Alternative> others;  ///< besides the rule's, when that is to be found out
};

/// What a partition consists of before it meets memory: buffers, weights and dispatches in order.
struct Recording {
  struct BufferInfo {
    uint64_t bytes = 0;     ///< what kernels may see of it
    bool constant = false;  ///< lies in `constants` at `offset`, else in the arena
    uint64_t offset = 0;    ///< in `constants`, or in the upload block
    bool upload = false;    ///< part of the upload block
    int import = -1;        ///< which of the imports, else -1; only read
    bool empty = false;     ///< no elements, only padding
    std::string name = {};  ///< for messages
  };
  std::vector<BufferInfo> buffers;   ///< by BufferId
  std::vector<std::byte> constants;  ///< weights, ready for the device
  std::vector<Dispatch> dispatches;
  std::vector<Choice> choices;
  std::vector<int> steps;  ///< by dispatch, from 1, ascending: those of one step run side by side
  std::vector<Upload> uploads;
  std::vector<Download> downloads;
  std::vector<Handover> exports;
  uint64_t upload_bytes = 0;  ///< size of the upload block
  int64_t relayouts = 0;
};

/// Where each buffer of a recording lies in the arena.
struct ArenaLayout {
  std::vector<uint64_t> offsets;  ///< by BufferId; of constants: unused
  uint64_t upload_offset = 0;     ///< of the upload block
  uint64_t bytes = 0;
  uint64_t unplanned_bytes = 0;     ///< without aliasing
  std::vector<MemoryBlock> blocks;  ///< by offset
};
/// Buffers that live at the same step do not overlap, so arena sharing adds no barriers.
ArenaLayout lay_out(const Recording& recording, uint64_t alignment);

/// Errc::internal when a dispatch binds a buffer that does not exist, reads one that nothing before
/// it has written, or writes a constant or an import.
Result<void> check_accesses(const Recording& recording, const Graph& graph);
/// Reorders the dispatches so that each runs as early as what it reads allows, and sets `steps`.
/// The number of steps is the longest chain of dispatches: no order needs fewer barriers.
void schedule(Recording& recording);
/// "Conv 'head.3'", or the graph's name for work that belongs to no node.
std::string label_of(const Graph& graph, NodeId node);

/// Builds every node of the partition and schedules the dispatches. Fails on our own mistakes,
/// tensors larger than the device binds, and constants that the storage type cannot hold.
/// `timings` is asked, where it is given, unless the spec wants the rules only. `imports`: those of
/// the spec, in its order.
Result<Recording> build_partition(const Context& context, const Graph& graph,
                                  const PartitionSpec& spec, ConvTimings* timings = nullptr,
                                  std::span<const Handover> imports = {});

}  // namespace vultus::gpu
