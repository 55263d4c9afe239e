#include <fmt/format.h>

#include "host/cpu/builder.hpp"

namespace vultus::cpu {

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
       eval = std::move(eval)](std::span<std::byte* const> addresses) mutable -> Result<void> {
        eval.scratch = addresses.back();
        size_t next = 0;
        for (size_t i = 0; i < eval.in.size(); ++i) {
          ValueId v = eval.node.inputs[i];
          if (v == kNoValue) continue;
          eval.in[i].bytes = addresses[next++];
          if (this_graph->value(v).dynamic_rows) eval.in[i].shape[0] = rows->at(v);
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
