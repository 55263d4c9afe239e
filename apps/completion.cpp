#include <fmt/format.h>
#include <fmt/ranges.h>

#include "apps/common.hpp"

namespace vultus::app {

namespace {

struct Command {
  std::string name, description;
  std::vector<std::string> options;
};

std::vector<Command> commands_of(const CLI::App& app) {
  std::vector<Command> commands;
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
    Command command{each->get_name(), each->get_description(), {}};
    for (const CLI::Option* option : each->get_options())
      for (const std::string& name : option->get_lnames())
        command.options.push_back("--" + name);
    commands.push_back(std::move(command));
  }
  return commands;
}

void print_bash(const std::vector<Command>& commands) {
  std::vector<std::string> names;
  for (const Command& command : commands)
    names.push_back(command.name);
  fmt::print(
      "# bash completion of vultus: vultus completion bash > "
      "~/.local/share/bash-completion/completions/vultus\n"
      "_vultus() {{\n"
      "  local word=${{COMP_WORDS[COMP_CWORD]}} options=\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${{COMP_WORDS[1]}} in\n",
      fmt::join(names, " "));
  for (const Command& command : commands)
    fmt::print("    {}) options=\"{}\" ;;\n", command.name, fmt::join(command.options, " "));
  fmt::print(
      "  esac\n"
      "  [[ $word == -* ]] && COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
      "}}\n"
      "complete -o default -o bashdefault -F _vultus vultus\n");
}

/// For zsh's _arguments and _describe: quotes and brackets mean something there.
std::string zsh_text(const std::string& text) {
  std::string plain;
  for (char c : text.substr(0, text.find('\n'))) {
    if (c == '\'' || c == '"') continue;
    if (c == ':' || c == '[' || c == ']') plain += '\\';
    plain += c;
  }
  return plain;
}

void print_zsh(const std::vector<Command>& commands) {
  fmt::print(
      "#compdef vultus\n"
      "# zsh completion of vultus: vultus completion zsh > DIR/_vultus with DIR in $fpath\n"
      "_vultus() {{\n"
      "  local -a commands\n"
      "  commands=(\n");
  for (const Command& command : commands)
    fmt::print("    '{}:{}'\n", command.name, zsh_text(command.description));
  fmt::print(
      "  )\n"
      "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  case $words[2] in\n");
  for (const Command& command : commands)
    fmt::print("    {}) compadd -- {} ;;\n", command.name, fmt::join(command.options, " "));
  fmt::print(
      "  esac\n"
      "  _files\n"
      "}}\n"
      "_vultus \"$@\"\n");
}

}  // namespace

void add_completion(CLI::App& app, int& status) {
  auto shell = std::make_shared<std::string>();
  auto* command = app.add_subcommand("completion", "a script that completes commands and options");
  command->add_option("shell", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([shell, &app, &status] {
    *shell == "bash" ? print_bash(commands_of(app)) : print_zsh(commands_of(app));
    status = kComplete;
  });
}

}  // namespace vultus::app
