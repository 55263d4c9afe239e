#include "apps/common.hpp"

namespace vultus::app {

void add_process(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("process", "not in this build (built with VULTUS_FACE=OFF)");
  command->prefix_command();
  command->callback([&status] {
    status = report({Errc::usage, "this build has no face pipeline (built with VULTUS_FACE=OFF)"});
  });
}

}  // namespace vultus::app
