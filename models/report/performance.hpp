#pragma once

#include <string>
#include <string_view>

#include "models/process/summary.hpp"

namespace vultus::report {

/// Where a stage runs: networks on the summary's devices, everything else on the CPU.
std::string_view device_of_stage(std::string_view stage, const Summary& summary);
/// For people: "face search, whole frame". An unknown stage is called what it is.
std::string_view describe_stage(std::string_view stage);

/// What the stages of a run sum up to.
struct Workload {
  double thread_seconds = 0;  ///< summed over stages and threads
  double at_once = 0;         ///< stages that ran at the same time on average, while any did
  double idle_seconds = 0;    ///< of the wall clock, while none ran
};
Workload workload_of(const Summary& summary);

/// Of which frames the stages tell, one sentence; nothing where it is all.
std::string stages_cover(const Summary& summary);

/// A table per run for people: a row a stage with count, total, mean, min, max and share of the
/// sum, largest total first; wall clock and sum over threads apart.
std::string performance_text(const Summary& summary);
/// The same for programs, with unrounded numbers.
std::string performance_json(const Summary& summary);

/// performance.txt and performance.json in `folder`. unwritable.
Result<void> write_performance(const std::string& folder, const Summary& summary);

}  // namespace vultus::report
