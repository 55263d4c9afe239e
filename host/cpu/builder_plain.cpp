#include <fmt/format.h>

#include <algorithm>

#include "host/cpu/builder.hpp"
#include "host/ops/crop_warp.hpp"

namespace vultus::cpu {

namespace {

/// What was written last may be shorter than the input.
Result<void> take_length(Eval& eval, size_t input, const HostBytes& bytes, const Shape& whole) {
  const auto length = static_cast<int64_t>(bytes.size());
  if (length < whole.elements() && !takes_fewer_bytes(eval.node))
    return eval.fail(fmt::format("reads {} shared bytes, of which only {} were set: set them all",
                                 whole.elements(), length));
  eval.in[input].shape = length < whole.elements() ? Shape{length} : whole;
  return {};
}

}  // namespace

/// By input; null where it is none.
std::vector<const HostBytes*> Builder::shared_inputs(const Node& node) const {
  std::vector<const HostBytes*> found;
  for (ValueId v : node.inputs) {
    auto at = std::ranges::find(spec_.shared, v, &PartitionSpec::Shared::value);
    found.push_back(at == spec_.shared.end() ? nullptr : dynamic_cast<const HostBytes*>(at->bytes));
  }
  return found;
}

Result<void> Builder::add_plain(NodeId id) {
  const Node& n = node(id);
  const Op* op = find_op(n.op);
  if (!op || !op->has_plain_kernel())
    return Error{Errc::no_device, fmt::format("{}: the CPU has no kernel for this case ({})",
                                              describe(n), op ? op->limits : "unknown operator")};
  Eval eval{n, {}, {}};
  std::vector<Operand> operands;
  bool dynamic = false;
  auto view = [&](ValueId v) {
    if (v == kNoValue) return TensorView{};
    if (const Tensor* constant = graph_.constant(v)) return constant->view();
    return TensorView{graph_.value(v).dtype, shape(v), nullptr};
  };
  for (ValueId v : n.inputs) {
    eval.in.push_back(view(v));
    if (v == kNoValue) continue;
    operands.push_back(plain(v));
    dynamic = dynamic || graph_.value(v).dynamic_rows;
  }
  for (ValueId v : n.outputs) {
    eval.out.push_back(view(v));
    if (v == kNoValue) continue;
    operands.push_back(output(v, plain_desc(v)));
    if (graph_.value(v).dynamic_rows) (*rows_)[v] = shape(v)[0];
    if (dynamic && !graph_.value(v).dynamic_rows)
      return Error{Errc::no_device,
                   fmt::format("{}: reads a result whose length is known only after running; make "
                               "that result an output of the network instead",
                               describe(n))};
  }
  VULTUS_TRY(Prepared prepared, prepare(*op, eval));
  operands.push_back(scratch(prepared.scratch_bytes));
  add(id, std::move(operands),
      [this_graph = &graph_, rows = rows_, run = std::move(prepared.kernel),
       shared = shared_inputs(n),
       eval = std::move(eval)](std::span<std::byte* const> addresses) mutable -> Result<void> {
        eval.scratch = addresses.back();
        size_t next = 0;
        for (size_t i = 0; i < eval.in.size(); ++i) {
          ValueId v = eval.node.inputs[i];
          if (v == kNoValue) continue;
          eval.in[i].bytes = addresses[next++];
          if (this_graph->value(v).dynamic_rows) eval.in[i].shape[0] = rows->at(v);
          if (shared[i]) VULTUS_CHECK(take_length(eval, i, *shared[i], this_graph->shape(v)));
        }
        for (size_t i = 0; i < eval.out.size(); ++i) {
          ValueId v = eval.node.outputs[i];
          if (v == kNoValue) continue;
          eval.out[i].bytes = addresses[next++];
          eval.out[i].shape = this_graph->shape(v);
        }
        VULTUS_CHECK(run(eval));
        for (size_t i = 0; i < eval.out.size(); ++i) {
          ValueId v = eval.node.outputs[i];
          if (v != kNoValue && this_graph->value(v).dynamic_rows)
            rows->at(v) = eval.out[i].shape[0];
        }
        return {};
      });
  return {};
}

}  // namespace vultus::cpu
