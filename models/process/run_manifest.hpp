#pragma once

#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/run/device.hpp"
#include "models/measure/measured.hpp"
#include "models/pack/pack.hpp"
#include "models/process/summary.hpp"

namespace vultus {

/// Empty where nobody typed one.
struct RunCommands {
  std::string typed;
  std::vector<std::string> again;  ///< words that make this input's results again; lack -o
};

/// run.json: from what, with what, how and when results were made, and the SHA-256 and size of each
/// file of them. `vultus verify` checks results against it.
///
/// Writes it into `folder`, where everything that `summary.outputs` names lies, and summary.json.
Result<void> write_run_manifest(const std::string& folder, const Summary& summary, const Pack& pack,
                                const std::vector<Device*>& devices, const RunCommands& commands,
                                const measure::MeasureOptions& measuring);

}  // namespace vultus
