#pragma once

#include <string>
#include <vector>

#include "host/core/result.hpp"

namespace vultus::app {

/// An input that gave no results.
struct Failure {
  std::string input;
  Error error;
};

/// OUT/failed.csv: input, exit_code, reason and the command that tries it again, one line each;
/// quoted as RFC 4180 says. Without failures there is none, and one of an earlier run goes.
/// `options` are the words of the command that are no inputs.
Result<void> write_failures(const std::string& out, const std::vector<Failure>& failures,
                            const std::vector<std::string>& options);

}  // namespace vultus::app
