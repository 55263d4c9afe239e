#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "host/core/cache_file.hpp"

namespace vultus {

/// Entries of a kept map at most; a file of more keeps the first ones.
inline constexpr size_t kMostKeptEntries = 8192;

/// A map that is kept between processes in a cache file. A file that is missing, foreign or broken
/// is no error: nothing was kept then. Nothing is read before the first call. Any thread.
template <class Map>
class KeptMap {
 public:
  using Seal = std::function<std::vector<std::byte>(const Map&)>;
  using Unseal = std::function<Map(std::span<const std::byte>)>;
  /// `most_bytes` of a file that is read. `unseal` gives an empty map for bytes it cannot use.
  KeptMap(CacheFile file, size_t most_bytes, Seal seal, Unseal unseal)
      : file_(std::move(file)),
        most_bytes_(most_bytes),
        seal_(std::move(seal)),
        unseal_(std::move(unseal)) {}

  std::optional<typename Map::mapped_type> find(const typename Map::key_type& key) {
    std::lock_guard lock(mutex_);
    const Map& map = kept();
    auto at = map.find(key);
    return at == map.end() ? std::nullopt : std::optional(at->second);
  }
  bool empty() {
    std::lock_guard lock(mutex_);
    return kept().empty();
  }
  /// Adds them to the file, beside what others have written since it was read. When there are too
  /// many, old ones are forgotten.
  void keep(const Map& fresh) {
    std::lock_guard lock(mutex_);
    Map merged = fresh;
    for (Map older : {kept(), read()})
      if (merged.size() + older.size() <= kMostKeptEntries) merged.merge(older);
    kept_ = std::move(merged);
    file_.write(seal_(*kept_));
  }

 private:
  const Map& kept() {
    if (!kept_) kept_ = read();
    return *kept_;
  }
  Map read() const {
    const std::vector<std::byte> bytes = file_.read(most_bytes_);
    return bytes.empty() ? Map{} : unseal_(bytes);
  }

  CacheFile file_;
  size_t most_bytes_;
  Seal seal_;
  Unseal unseal_;
  std::mutex mutex_;
  std::optional<Map> kept_;  ///< once asked
};

}  // namespace vultus
