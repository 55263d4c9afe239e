#include "apps/common.hpp"
#include "apps/doctor.hpp"

namespace vultus::app {

namespace {

void add_absent(CLI::App& app, const char* name, int& status) {
  auto* command = app.add_subcommand(name, "not in this build (built with VULTUS_FACE=OFF)");
  command->prefix_command();
  command->callback([&status] {
    status = report({Errc::usage, "this build has no face pipeline (built with VULTUS_FACE=OFF)"});
  });
}

}  // namespace

void add_process(CLI::App& app, int& status) {
  add_absent(app, "process", status);
}

void add_verify(CLI::App& app, int& status) {
  add_absent(app, "verify", status);
}

void add_convert(CLI::App& app, int& status) {
  add_absent(app, "convert", status);
}

std::vector<Finding> examine_face_pipeline(const std::string& /*pack*/) {
  return {{Finding::State::fine, "face pipeline", "not in this build"}};
}

std::optional<std::string> network_sha256(const std::string& /*path*/) {
  return {};
}

}  // namespace vultus::app
