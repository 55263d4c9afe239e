#pragma once

#include <map>

#include "gpu/conv_family.hpp"
#include "host/core/kept_map.hpp"

namespace vultus::gpu {

struct DeviceReport;

/// Everything of a convolution that its time depends on: sizes, window, storage and epilogue.
struct ConvKey {
  uint32_t batch, in_h, in_w, in_channels, out_h, out_w, out_channels, groups;
  uint32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
  uint32_t scaled, fp16;
  uint32_t parts, activation, second_activation, addend_h, addend_w;  ///< as specialised
  auto operator<=>(const ConvKey&) const = default;
};
using ConvTactics = std::map<ConvKey, ConvTactic>;

/// What timings hold for: the device, its driver, and the kernels of this build.
std::string timings_key(const DeviceReport& report);
/// A file's bytes; of more than `kMostKeptEntries` the rest is left out.
std::vector<std::byte> seal_timings(const std::string& key, const ConvTactics& tactics);
/// Nothing when the bytes are damaged or of another key. What a tactic says is not checked.
ConvTactics unseal_timings(const std::string& key, std::span<const std::byte> file);

/// The tactics that were the fastest on a device.
class ConvTimings : public KeptMap<ConvTactics> {
 public:
  /// `folder` as in OpenOptions::cache_folder. The report outlives it.
  ConvTimings(const std::string& folder, const DeviceReport& report);
};

}  // namespace vultus::gpu
