#include <fmt/format.h>

#include "apps/common.hpp"
#include "host/ops/op.hpp"

namespace vultus::app {

void add_operators(CLI::App& app, int& status) {
  auto* command =
      app.add_subcommand("operators", "the table docs/operators.md: what the engine supports");
  command->callback([&status] {
    fmt::print(
        "# Operators\n\nMade by `vultus operators`; do not edit. Opsets are those whose meaning is "
        "implemented; an older "
        "version of an operator is read where it means the same.\n\n| operator | opset | CPU | GPU "
        "kernel | limits |\n|---|---|---|---|---|\n");
    for (const Op* op : all_ops())
      fmt::print("| {} | {}-{} | {} | {} | {} |\n", op->name, op->since, op->until,
                 op->build ? "oneDNN" : "plain", has_gpu_kernel(op->name) ? "yes" : "", op->limits);
    status = kComplete;
  });
}

}  // namespace vultus::app
