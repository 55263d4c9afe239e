#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vultus {

/// Measurements kept between runs in a cache file of their own (host/core/cache_file.hpp).
class CachedNumbers {
 public:
  /// `folder` as for `CacheFile`; `kind` begins the file's name. `key`: what the numbers belong to;
  /// those of another program version count as absent.
  CachedNumbers(std::string folder, std::string kind, const std::string& key);
  /// Nothing unless the file holds exactly that many, all finite.
  std::optional<std::vector<double>> read(size_t count) const;
  void write(const std::vector<double>& numbers) const;

 private:
  std::string folder_, key_, name_;
};

}  // namespace vultus
