#include "apps/usage.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common.hpp"
#include "host/core/nearest.hpp"

namespace vultus::app {

namespace {

const CLI::App* command_of(const CLI::App& app, std::string_view name) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (command->get_name() == name) return command;
  return nullptr;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  return names;
}

/// The first long option that the command does not have. The parser would name it only where
/// nothing else is amiss: of a mistyped --output it says that --output is required.
std::optional<std::string> unknown_option(const CLI::App& command, int argc, char** argv) {
  for (int i = 2; i < argc; ++i) {
    std::string word = argv[i];
    if (word == "--") break;
    word = word.substr(0, word.find('='));
    if (word.starts_with("--") && !command.get_option_no_throw(word)) return word;
  }
  return std::nullopt;
}

}  // namespace

int report_usage(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);
  const std::string word = argc > 1 ? argv[1] : "";
  const CLI::App* command = command_of(app, word);
  if (!command) {
    if (word.starts_with('-'))
      fmt::print(stderr, "vultus: {}; `vultus --help` lists the commands\n", error.what());
    else
      fmt::print(stderr,
                 "vultus: there is no command '{}'; did you mean {}? `vultus --help` lists all\n",
                 word, nearest(command_names(app), word, 1).front());
    return kUsage;
  }
  if (auto unknown = unknown_option(*command, argc, argv))
    fmt::print(stderr,
               "vultus: {} has no option {}; did you mean {}? `vultus {} --help` lists all\n", word,
               *unknown, nearest(option_names(*command), *unknown, 1).front(), word);
  else
    fmt::print(stderr, "vultus: {}; `vultus {} --help` says more\n", error.what(), word);
  return kUsage;
}

}  // namespace vultus::app
