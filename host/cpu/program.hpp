#pragma once

#include <dnnl.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "host/core/result.hpp"
#include "host/core/tensor.hpp"
#include "host/cpu/conv_form.hpp"
#include "host/cpu/workspace.hpp"
#include "host/graph/graph.hpp"
#include "host/run/device.hpp"

namespace vultus::cpu {

using Desc = dnnl::memory::desc;

/// A place in memory and how the elements lie there.
struct Operand {
  int32_t buffer = -1;
  Desc desc;
};

/// An operand of a primitive: DNNL_ARG_SRC and the like.
struct Argument {
  int index = 0;
  Operand operand;
};

/// A kernel of ours on the addresses of its operands.
using Kernel = std::function<Result<void>(std::span<std::byte* const>)>;

struct Step {
  NodeId node = -1;
  bool reorder = false;
  std::vector<Argument> operands;
  dnnl::primitive primitive;  ///< empty when `kernel` is set
  Kernel kernel;
  std::vector<dnnl::memory> memories;      ///< bound once memory is planned
  std::vector<dnnl_exec_arg_t> arguments;  ///< of the primitive, in `memories`
  std::vector<std::byte*> addresses;
};

/// Runs a step whose memory is bound; nothing is allocated here.
Result<void> execute(Step& step, const dnnl::stream& stream);

/// Of the CPU's own `share`: where the bytes are. Several parts are put together in memory of its
/// own.
class HostBytes : public DeviceBytes {
 public:
  explicit HostBytes(size_t capacity) : capacity_(capacity) {}
  Result<void> write(std::span<const std::span<const std::byte>> parts) override;
  const std::byte* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }  ///< of what was written last

 private:
  size_t capacity_;
  std::span<const std::byte> bytes_;
  std::vector<std::byte> together_;
};

/// An operand of a step that lies in shared bytes.
struct SharedOperand {
  size_t step = 0, operand = 0;
  const HostBytes* bytes = nullptr;
};

/// A compiled partition: steps bound to one arena.
struct Program {
  std::vector<Step> steps;
  Tensor arena;
  std::shared_ptr<Workspace> workspace;  ///< in place of the arena
  std::vector<Tensor> weights;
  std::set<ValueId> in_place;  ///< constants that steps read where the graph has them
  std::map<ValueId, std::byte*> inputs;
  std::map<ValueId, const std::byte*> outputs;
  std::vector<SharedOperand> shared;  ///< without an address until a run begins
  /// Rows of `dynamic_rows` values in the last run.
  std::shared_ptr<std::map<ValueId, int64_t>> rows;
  std::vector<ConvChoice> choices;  ///< where wishes were taken
  PartitionStats stats;
  std::vector<MemoryBlock> memory;  ///< of the arena, by offset
};

}  // namespace vultus::cpu
