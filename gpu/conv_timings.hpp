#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "gpu/conv_family.hpp"
#include "host/core/cache_file.hpp"

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
/// A file's bytes; of more than 8,192 convolutions the rest is left out.
std::vector<std::byte> seal_timings(const std::string& key, const ConvTactics& tactics);
/// Nothing when the bytes are damaged or of another key. What a tactic says is not checked.
ConvTactics unseal_timings(const std::string& key, std::span<const std::byte> file);

/// The tactics that were the fastest on a device, kept between processes. A file that is missing,
/// foreign or broken is no error: nothing was timed then. Any thread.
class ConvTimings {
 public:
  /// `folder` as in OpenOptions::cache_folder. Nothing is read before the first `find`.
  ConvTimings(const std::string& folder, const DeviceReport& report);

  std::optional<ConvTactic> find(const ConvKey& key);
  /// Adds them to the file, beside what others have written since it was read. When there are too
  /// many, old ones are forgotten.
  void keep(const ConvTactics& fresh);

 private:
  ConvTactics read() const;

  CacheFile file_;
  const DeviceReport& report_;
  std::mutex mutex_;
  std::optional<ConvTactics> kept_;  ///< once asked
};

}  // namespace vultus::gpu
