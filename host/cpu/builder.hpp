#pragma once

#include <dnnl.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "host/cpu/packing.hpp"
#include "host/cpu/program.hpp"
#include "host/graph/activation.hpp"
#include "host/ops/op.hpp"

namespace vultus::cpu {

/// Compiles a partition into steps. An operator's `build` asks for its inputs in the layout it
/// prefers, defines its outputs in the layout it writes, and adds steps. Throws dnnl::error, which
/// the device catches.
class Builder {
 public:
  /// `wish`: how convolutions are computed where several forms can; absent: by rules.
  Builder(const Graph& graph, const PartitionSpec& spec, const dnnl::engine& engine,
          ConvWish wish = {}, std::shared_ptr<Workspace> workspace = {});

  const Graph& graph() const { return graph_; }
  const Node& node(NodeId id) const { return graph_.node(id); }
  const Shape& shape(ValueId value) const { return graph_.shape(value); }
  const dnnl::engine& engine() const { return engine_; }
  /// All inputs computed at run time and all outputs are f32, not empty, of fixed length.
  bool is_dense_f32(NodeId node) const;

  /// The node that reads a value, when it is the only one and the value is no output.
  std::optional<NodeId> only_reader(ValueId value) const;

  /// Row-major descriptor; of bytes where the type is not f32.
  Desc plain_desc(ValueId value) const;
  /// Most multiplications are in convolutions that run faster in blocked layouts (Winograd).
  bool prefers_blocked() const { return prefers_blocked_; }
  /// The layout in which a value was defined.
  Desc layout(ValueId value) const;
  /// The value in that layout; a reorder is inserted the first time it is asked for.
  Operand input(ValueId value, const Desc& wanted);
  Operand plain(ValueId value) { return input(value, plain_desc(value)); }
  /// The operand's elements in that layout; a reorder is inserted unless it has it already.
  Operand reordered(const Operand& from, const Desc& wanted);
  /// A new buffer for a result.
  Operand output(ValueId value, const Desc& desc);
  /// The result lies where `of` lies, in that layout.
  Operand output_in(ValueId value, const Desc& desc, const Operand& of);
  /// In `desc`: where `of` lies when that may be written over, else in a new buffer.
  Operand output_over(NodeId node, ValueId value, const Desc& desc, const Operand& of);
  /// Whether nobody needs the contents of `operand` after `node`, so that it may be written over.
  bool may_overwrite(const Operand& operand, NodeId node) const;
  /// Places `part`, written by an earlier step, inside `whole`; false when it cannot move.
  bool place_inside(const Operand& part, const Operand& whole, int64_t offset_bytes);

  /// The form wished for a convolution's key, if any is; nothing by rules.
  std::optional<ConvForm> wish(const std::string& key) const {
    return wish_ ? wish_(key) : std::nullopt;
  }
  bool takes_wishes() const { return static_cast<bool>(wish_); }
  void record(ConvChoice choice) { choices_.push_back(std::move(choice)); }
  /// Later nodes find the value in that layout, whichever the steps that compute it write.
  void expect_layout(ValueId value, const Desc& desc) { expected_[value] = desc; }

  /// A constant's elements, read as `from`, converted to `to` before the first run.
  Operand constant(ValueId value, const Desc& from, const Desc& to);
  /// Weights made by the caller, converted to `to` before the first run.
  Operand constant(Tensor tensor, const Desc& from, const Desc& to);
  /// Memory that only one step uses.
  Operand scratch(int64_t bytes);

  /// Adds a step: a primitive (its scratchpad is added from `scratchpad`) ...
  void add(NodeId node, const dnnl::primitive& primitive, const Desc& scratchpad,
           std::vector<Argument> arguments);
  /// ... or a kernel of ours, called with the operands' addresses in the same order.
  void add(NodeId node, std::vector<Operand> operands, Kernel kernel);
  /// The operator's plain kernel on row-major memory.
  Result<void> add_plain(NodeId node);
  /// An activation from `from` to `to`, which have the same layout and may be the same memory.
  void add_activation(NodeId node, const Epilogue& epilogue, const Operand& from,
                      const Operand& to);

  /// Builds every node, plans memory, binds everything.
  Result<Program> finish();

 private:
  struct Buffer {
    int64_t bytes = 0;
    bool constant = false;         ///< lives outside the arena
    std::optional<size_t> packed;  ///< a constant's number in `packing_`
    std::byte* address = nullptr;  ///< known at last when steps are bound
    const HostBytes* shared = nullptr;
    bool pinned = false;  ///< inputs and outputs of the partition: alive throughout
    int32_t parent = -1;
    int64_t offset = 0;           ///< inside the parent
    std::vector<ValueId> values;  ///< whose elements it holds, also those of buffers inside
  };
  struct Constant {
    Desc from, to;
    Operand operand;
  };

  void declare_shared();
  std::vector<const HostBytes*> shared_inputs(const Node& node) const;
  int32_t new_buffer(int64_t bytes);
  Operand constant_at(const std::byte* bytes, const Desc& from, const Desc& to);
  void holds(int32_t buffer, ValueId value);
  std::pair<int32_t, int64_t> root(int32_t buffer) const;
  Result<void> build_nodes();
  void move_to_expected_layouts();
  std::string name_of_block(size_t buffer, int first_step) const;
  Result<void> plan_memory(Program& program);
  void bind(Program& program);

  const Graph& graph_;
  const PartitionSpec& spec_;
  dnnl::engine engine_;
  std::vector<Buffer> buffers_;
  std::vector<Step> steps_;
  std::map<ValueId, std::vector<Operand>> at_hand_;  ///< layouts of a value; the first is its own
  std::map<ValueId, std::vector<Constant>> constants_;
  std::map<ValueId, int> last_reader_;  ///< position of the last node that reads it
  std::map<NodeId, int> position_;
  ConvWish wish_;
  std::shared_ptr<Workspace> workspace_;  ///< for activations, where they fit
  std::vector<ConvChoice> choices_;
  std::map<ValueId, Desc> expected_;  ///< of values not yet computed
  Packing packing_;
  std::set<ValueId> in_place_;   ///< constants that steps read where the graph has them
  std::vector<Tensor> weights_;  ///< that steps read
  std::vector<Tensor> sources_;  ///< that `packing_` reads
  std::shared_ptr<std::map<ValueId, int64_t>> rows_;
  int64_t weight_bytes_ = 0;
  bool prefers_blocked_ = false;
};

/// Whether this CPU has registers of sixteen floats, and oneDNN may use them too.
bool has_wide_vectors();

/// How channels lie. All but `other` are dense, [batch][groups][points][block]: `plain` has blocks
/// of one channel, `last` a single block of all channels (NHWC).
enum class Family : uint8_t { plain, last, blocked8, blocked16, other };
Family family_of(const Desc& desc);
/// Descriptor of that family for rank 3 to 5 (`plain`: any rank).
Desc in_family(Family family, const std::vector<int64_t>& dims);
/// The numbers of [batch][groups][points][block] for a tensor of rank 2 or more.
struct Arrangement {
  int64_t batch, groups, points, block;
};
Arrangement arrangement_of(Family family, const Shape& shape);
/// Row-major f32 descriptor of any dims.
Desc row_major(const std::vector<int64_t>& dims);
/// Same place for every element: strides of axes of one do not count.
bool same_layout(const Desc& a, const Desc& b);
/// Whether a blocked layout holds more channels than the tensor; the rest must stay zero.
bool is_padded(const Desc& desc);
/// Attributes with the scratchpad in our arena.
dnnl::primitive_attr attributes(const dnnl::post_ops& ops = {});
/// Whether f(0) = 0, so that padding channels stay zero.
bool keeps_zero(const Epilogue& epilogue);
/// The activation as post-operations; nothing is added for `none`.
void append(dnnl::post_ops& ops, const Epilogue& epilogue);

}  // namespace vultus::cpu
