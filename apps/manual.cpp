#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/common.hpp"

namespace vultus::app {

namespace {

/// Text for troff: no line begins with a control character, and backslashes and hyphens are
/// literal.
std::string troff(const std::string& text) {
  std::string plain;
  bool line_begins = true;
  for (char c : text) {
    if (line_begins && (c == '.' || c == '\'')) plain += "\\&";
    if (c == '\\')
      plain += "\\e";
    else if (c == '-')
      plain += "\\-";
    else
      plain += c;
    line_begins = c == '\n';
  }
  return plain;
}

/// Lines stay lines.
void print_lines(const std::string& text) {
  fmt::print(".nf\n{}\n.fi\n", troff(text));
}

std::string names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames())
    names.push_back("-" + name);
  for (const std::string& name : option.get_lnames())
    names.push_back("--" + name);
  if (names.empty()) return option.get_name();
  const bool takes_value = option.get_items_expected_max() > 0;
  return fmt::format("{}{}", fmt::join(names, ", "), takes_value ? " VALUE" : "");
}

void print_command(const CLI::App& command) {
  fmt::print(".SS vultus {}\n{}\n", troff(command.get_name()), troff(command.get_description()));
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_name() == "--help") continue;
    std::string text = option->get_description();
    if (option->get_required()) text += " (required)";
    if (!option->get_default_str().empty()) text += fmt::format(" [{}]", option->get_default_str());
    fmt::print(".TP\n\\fB{}\\fR\n{}\n", troff(names_of(*option)), troff(text));
  }
  if (!command.get_footer().empty()) {
    fmt::print(".PP\n");
    print_lines(command.get_footer());
  }
}

void print_manual(const CLI::App& app) {
  fmt::print(
      ".\\\" Made by `vultus manual`; do not edit.\n"
      ".TH VULTUS 1 \"\" \"vultus {}\" \"User commands\"\n"
      ".SH NAME\nvultus \\- face video to measurements, and ONNX inference, on any Vulkan GPU or "
      "the CPU\n"
      ".SH SYNOPSIS\n\\fBvultus\\fR COMMAND [OPTION...] [FILE...]\n"
      ".SH DESCRIPTION\n{}\n"
      ".SH COMMANDS\n",
      VULTUS_VERSION, troff(app.get_description()));
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    print_command(*command);
  fmt::print(".SH EXAMPLES AND EXIT STATUS\n");
  print_lines(app.get_footer());
  fmt::print(
      ".SH ENVIRONMENT\n"
      ".TP\n\\fBVULTUS_PACK\\fR\nFolder of the model pack where \\-\\-pack is not given.\n"
      ".TP\n\\fBXDG_CACHE_HOME\\fR\nCompiled shaders and timings of kernels are kept in "
      "\\fIvultus\\fR in it (default ~/.cache).\n"
      ".TP\n\\fBXDG_DATA_HOME\\fR\nModel packs are looked for in \\fIvultus/models\\fR in it "
      "(default ~/.local/share).\n"
      ".TP\n\\fBVK_DRIVER_FILES\\fR\nVulkan drivers to use instead of those installed.\n");
}

}  // namespace

void add_manual(CLI::App& app, int& status) {
  auto* command = app.add_subcommand("manual", "the manual page docs/vultus.1, for man");
  command->callback([&app, &status] {
    print_manual(app);
    status = kComplete;
  });
}

}  // namespace vultus::app
