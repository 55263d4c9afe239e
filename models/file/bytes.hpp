#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vultus {

static_assert(std::endian::native == std::endian::little, "numbers in our files are little-endian");

/// Numbers and texts one after the other, each exactly as it is in memory.
class ByteWriter {
 public:
  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) { put_bytes(std::as_bytes(std::span(&value, 1))); }
  void put_text(std::string_view text) {
    put(static_cast<uint32_t>(text.size()));
    put_bytes(std::as_bytes(std::span(text)));
  }
  /// Not inlined: GCC 12 then warns of sizes that cannot be.
  [[gnu::noinline]] void put_bytes(std::span<const std::byte> bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  std::span<const std::byte> bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  std::vector<std::byte> bytes_;
};

/// Reads them back. Past the end everything is zero or empty and `done` stays false, so a reader
/// of a damaged record checks once, at its end.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <class T>
  requires std::is_arithmetic_v<T> T get() {
    using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;
    Stored value{};
    const std::span<const std::byte> from = get_bytes(sizeof(Stored));
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof(Stored));
    if constexpr (std::is_same_v<T, bool>)
      return value != 0;
    else
      return value;
  }
  std::string get_text() {
    const std::span<const std::byte> from = get_bytes(get<uint32_t>());
    return {reinterpret_cast<const char*>(from.data()), from.size()};
  }
  /// Empty where fewer are left.
  std::span<const std::byte> get_bytes(size_t count) {
    if (count > rest_.size()) {
      short_ = true;
      rest_ = {};
      return {};
    }
    const std::span<const std::byte> taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  /// A number of things that take at least `bytes_each`; 0 where they cannot all be there.
  size_t get_count(size_t bytes_each) {
    const size_t count = get<uint32_t>();
    if (count <= rest_.size() / bytes_each) return count;
    short_ = true;
    return 0;
  }
  std::span<const std::byte> rest() const { return rest_; }
  /// Everything was there, and nothing is left.
  bool done() const { return !short_ && rest_.empty(); }

 private:
  std::span<const std::byte> rest_;
  bool short_ = false;
};

}  // namespace vultus
