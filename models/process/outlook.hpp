#pragma once

#include <optional>
#include <string>

#include "models/process/process.hpp"

namespace vultus {

/// What a run will do for one input, by what is there already.
struct Outlook {
  enum class Action : uint8_t {
    make,
    resume,  ///< an earlier run was stopped: go on
    remake,  ///< tables, sheet and report again from what was measured; videos stay
    skip,    ///< finished results, made from the same file with the same options
    refuse,  ///< see `refusal`
  };
  Action action = Action::make;
  std::string folder;             ///< OUT/NAME
  std::string source;             ///< Summary::source of the input
  std::string differences;        ///< of `remake`: "baseline auto, now 0.3-1.2"
  std::vector<Setting> kept;      ///< of `remake` and `skip`: what nobody named and they have
  int64_t measured = 0;           ///< frames, of `resume`
  std::optional<Summary> before;  ///< of finished results
  std::optional<Error> refusal;
};

/// Reads only. An error where the input is not there.
Result<Outlook> look_ahead(const ProcessOptions& options, const Pack& pack,
                           const std::string& input, const std::string& name);

}  // namespace vultus
