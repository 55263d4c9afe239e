#pragma once

#include <string>
#include <vector>

#include "apps/common.hpp"

namespace vultus::app {

/// A timed run with what it could have reached: one row a dispatch or primitive.
struct Profile {
  struct Row {
    StepTime step;
    std::string op, node, output;
    double gflops = 0;    ///< the node's operations, on its longest step that is no conversion
    double gb_per_s = 0;  ///< of the operands, each once
    double of_roof = 0;   ///< 0..1; the shortest time the device could take over the time taken
    std::string device;
  };
  std::string device;              ///< as the case is called
  std::vector<Row> rows;           ///< in order of execution
  std::vector<DeviceSpeed> roofs;  ///< by partition
  double sum_ms = 0;
};

/// Runs the session once more, timed.
Result<Profile> profile(Session& session, const std::string& device);
/// The `count` slowest rows (0: all), sums by operator, and how to read them.
void print_profile(const Profile& profile, int count, double median_ms);
Json as_json(const Profile& profile);
/// Chrome trace format, for chrome://tracing and Perfetto: a row per device.
Result<void> write_trace(const std::string& path, const std::vector<Profile>& profiles);

}  // namespace vultus::app
