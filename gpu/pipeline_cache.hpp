#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gpu/context.hpp"
#include "host/core/cache_file.hpp"

namespace vultus::gpu {

/// Wraps a driver's pipeline data with what it belongs to and a checksum.
std::vector<std::byte> seal_cache(std::span<const std::byte> payload,
                                  const VkPhysicalDeviceProperties& properties);
/// The payload again, or nothing when the file is truncated, corrupt or of another device or
/// driver.
std::optional<std::span<const std::byte>> unseal_cache(
    std::span<const std::byte> file, const VkPhysicalDeviceProperties& properties);

/// The driver's compiled pipelines, kept between processes. A missing, foreign or broken file is no
/// error: the cache starts empty.
class PipelineCache {
 public:
  /// `folder` as in OpenOptions::cache_folder.
  PipelineCache(const Context& context, const std::string& folder);
  ~PipelineCache();
  PipelineCache(const PipelineCache&) = delete;
  PipelineCache& operator=(const PipelineCache&) = delete;

  VkPipelineCache handle() const { return cache_; }
  /// Writes the file if the driver has something new.
  void save();

 private:
  const Context& context_;
  CacheFile file_;
  VkPipelineCache cache_ = VK_NULL_HANDLE;
  size_t loaded_bytes_ = 0;
};

}  // namespace vultus::gpu
