#pragma once

#include <CLI/CLI.hpp>

namespace vultus::app {

/// Prints help or version when that was asked for, else one sentence to stderr: which command or
/// option is unknown and what is nearest to it, or what the parser says. Returns the exit code.
int report_usage(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error);

}  // namespace vultus::app
