#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "host/core/kept_map.hpp"
#include "host/cpu/conv_form.hpp"

namespace vultus::cpu {

/// By `ConvChoice::key`.
using ConvForms = std::map<std::string, ConvForm>;

/// A file's bytes; of more than `kMostKeptEntries` the rest is left out.
std::vector<std::byte> seal_forms(const std::string& device, const ConvForms& forms);
/// Nothing when the bytes are damaged or of another device.
ConvForms unseal_forms(const std::string& device, std::span<const std::byte> file);

/// The forms of convolutions that were the fastest on this machine.
class ConvTimings : public KeptMap<ConvForms> {
 public:
  /// `folder` as in CacheFile; `device`: the CPU, oneDNN's version and instruction set, threads.
  ConvTimings(const std::string& folder, const std::string& device);
};

}  // namespace vultus::cpu
