#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vultus {

/// What was measured of a network on a device, for advice on how to use the device better.
struct RunFacts {
  double wall_ms = 0;  ///< of a typical run; the others are parts of it
  double upload_ms = 0, compute_ms = 0, read_back_ms = 0, host_ms = 0;
  bool on_gpu = false;       ///< at least one partition
  bool on_cpu = false;       ///< at least one partition
  bool software = false;     ///< the GPU is the CPU in disguise
  bool device_clock = true;  ///< as in RunTimes
  size_t partitions = 1;
  bool may_overlap = false;                ///< runs in flight would, and were not asked for
  int threads = 1;                         ///< that the CPU device has
  int available_threads = 1;               ///< that it could have
  int64_t choices = 0, timed_choices = 0;  ///< as in PartitionStats
};

// One rule each: a sentence with numbers where the device is under-used, else nothing.

/// The GPU waits for the host in a fifth of a run.
std::optional<std::string> advice_on_waiting(const RunFacts& facts);
/// Copies take a fifth of a run of one partition.
std::optional<std::string> advice_on_copies(const RunFacts& facts);
/// Copies and hand-overs take a tenth of a run of several partitions.
std::optional<std::string> advice_on_partitions(const RunFacts& facts);
std::optional<std::string> advice_on_software(const RunFacts& facts);
std::optional<std::string> advice_on_threads(const RunFacts& facts);
/// No convolution was timed.
std::optional<std::string> advice_on_tuning(const RunFacts& facts);

/// Of every rule that has something to say.
std::vector<std::string> advice(const RunFacts& facts);

}  // namespace vultus
