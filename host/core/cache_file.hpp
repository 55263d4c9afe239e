#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vultus {

/// $XDG_CACHE_HOME/vultus, else ~/.cache/vultus; empty when neither variable holds a full path.
std::string default_cache_folder();

/// A file that only saves time. It is read only when its folder and it belong to this user and
/// nobody else may write there; anything else counts as absent. Safe to delete at any time.
class CacheFile {
 public:
  /// `folder` empty: the default one; "-": nothing is kept. It is made with mode 0700 if absent.
  CacheFile(const std::string& folder, const std::string& name);
  /// Empty when there is none that may be trusted or it is over `max_bytes`.
  std::vector<std::byte> read(size_t max_bytes) const;
  /// Under a temporary name, then renamed, so that readers see the old or the new file whole. A
  /// failure costs the next start some time and nothing else, so it is not reported.
  void write(std::span<const std::byte> bytes) const;
  const std::string& path() const { return path_; }  ///< empty: nothing is kept

 private:
  std::string path_;
};

/// FNV-1a, 64 bits (Fowler, Noll, Vo): guards against accidents, not against enemies.
uint64_t checksum_of(std::span<const std::byte> bytes);
/// The payload behind a header of its key (what it was made for and by) and a checksum.
std::vector<std::byte> seal(std::string_view key, std::span<const std::byte> payload);
/// The payload again, or nothing when the bytes are truncated, damaged or of another key.
std::optional<std::span<const std::byte>> unseal(std::string_view key,
                                                 std::span<const std::byte> file);

}  // namespace vultus
