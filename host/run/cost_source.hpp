#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/run/device.hpp"

namespace vultus {

/// Where the times of nodes and copies come from.
enum class CostSource : uint8_t {
  model,     ///< what the devices reach at best
  kept,      ///< measured before on this machine, else the model
  measured,  ///< measured before, else now, and kept
  anew,      ///< measured now, and kept
};
constexpr bool reads_kept(CostSource source) {
  return source == CostSource::kept || source == CostSource::measured;
}
constexpr bool measures(CostSource source) {
  return source == CostSource::measured || source == CostSource::anew;
}

struct CostOptions {
  Precision precision = Precision::fp32;
  CostSource source = CostSource::model;
  /// Of the kernels that are timed.
  Tuning kernels = Tuning::rules;
  std::string cache_folder = {};  ///< as for `CacheFile`
  /// Inputs that are shared bytes: what their copies take is not the network's.
  std::vector<std::string> shared = {};
};

/// Larger numbers in a file are no measurements, in any unit.
inline constexpr double kMostCost = 1e6;

/// What measurements of a device are kept under.
std::string cost_key(const Device& device, Precision precision);
/// The upper one of an even number. Not of none.
double median(std::vector<double> values);

}  // namespace vultus
