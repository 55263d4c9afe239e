#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/core/cache_file.hpp"
#include "host/cpu/conv_form.hpp"

namespace vultus::cpu {

/// By `ConvChoice::key`.
using ConvForms = std::map<std::string, ConvForm>;

/// A file's bytes; of more than 8,192 convolutions the rest is left out.
std::vector<std::byte> seal_forms(const std::string& device, const ConvForms& forms);
/// Nothing when the bytes are damaged or of another device.
ConvForms unseal_forms(const std::string& device, std::span<const std::byte> file);

/// The forms of convolutions that were the fastest on this machine, kept between processes. A file
/// that is missing, foreign or broken is no error: nothing was timed then. Any thread.
class ConvTimings {
 public:
  /// `folder` as in CacheFile; `device`: the CPU, oneDNN's version and instruction set, threads.
  /// Nothing is read before the first call.
  ConvTimings(const std::string& folder, const std::string& device);

  std::optional<ConvForm> find(const std::string& key);
  bool empty();
  /// Adds them to the file, beside what others have written since it was read. When there are too
  /// many, old ones are forgotten.
  void keep(const ConvForms& fresh);

 private:
  ConvForms read() const;
  const ConvForms& kept();

  std::string device_;
  CacheFile file_;
  std::mutex mutex_;
  std::optional<ConvForms> kept_;  ///< once asked
};

}  // namespace vultus::cpu
