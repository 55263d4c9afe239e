#include "apps/failures.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "apps/common.hpp"
#include "host/core/write_file.hpp"

namespace vultus::app {

namespace {

std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text)
    quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

}  // namespace

Result<void> write_failures(const std::string& out, const std::vector<Failure>& failures,
                            const std::vector<std::string>& options) {
  namespace fs = std::filesystem;
  const std::string path = (fs::path(out) / "failed.csv").string();
  std::error_code error;
  if (failures.empty()) {
    fs::remove(path, error);
    return {};
  }
  std::string text = "input,exit_code,reason,command\n";
  for (const Failure& failure : failures) {
    // As an option it would be read otherwise.
    const std::string input =
        failure.input.starts_with('-') ? fmt::format("./{}", failure.input) : failure.input;
    std::string command = fmt::format("vultus process {}", shell_word(input));
    for (const std::string& word : options)
      command += fmt::format(" {}", shell_word(word));
    text += fmt::format("{},{},{},{}\n", cell(failure.input),
                        static_cast<int>(exit_code(failure.error.code)), cell(failure.error.what),
                        cell(command));
  }
  fs::create_directories(out, error);
  return write_file(path, {text});
}

}  // namespace vultus::app
