#pragma once

#include <string>
#include <vector>

#include "models/process/process.hpp"

namespace vultus {

/// "AMD EPYC, NVIDIA H200".
std::string device_names(const std::vector<Device*>& devices);

/// What the results depend on beside program and input, in a fixed order.
std::vector<Setting> settings_of(const ProcessOptions& options, const Pack& pack);
/// "search-every 10, faces one, ...".
std::string to_text(const std::vector<Setting>& settings);

/// Tables, sheet and report alone depend on it: they follow from the journal.
bool concerns_tables_alone(const Setting& setting);
/// What measuring and the videos depend on, equal where they would be: settings and source.
std::string measured_from(const std::vector<Setting>& settings, const std::string& source);

/// Those of finished results that `options.unnamed` names and that are other than in `options`.
std::vector<Setting> kept_settings(const ProcessOptions& options,
                                   const std::vector<Setting>& before);
/// The options with these settings, as if they had been named.
ProcessOptions with_settings(ProcessOptions options, const std::vector<Setting>& settings);
/// Words of a command line: "--baseline", "0.3-1.2".
std::vector<std::string> command_words(const std::vector<Setting>& settings);

/// What differs between the settings of results and those wanted now.
struct Differences {
  bool in_tables_alone = true;
  std::string text;  ///< "baseline auto, now 0.3-1.2; report on, now off"; empty: none
};
Differences differences_of(const std::vector<Setting>& before, const std::vector<Setting>& now);

}  // namespace vultus
