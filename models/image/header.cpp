#include "models/image/header.hpp"

#include <algorithm>
#include <string_view>

namespace vultus {

namespace {

/// Numbers at byte offsets; 0 beyond the end, which no size may be.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t size() const { return bytes_.size(); }
  uint32_t u8(size_t at) const {
    return at < bytes_.size() ? std::to_integer<uint32_t>(bytes_[at]) : 0;
  }
  uint32_t big16(size_t at) const { return u8(at) << 8 | u8(at + 1); }
  uint32_t big32(size_t at) const { return big16(at) << 16 | big16(at + 2); }
  uint32_t little16(size_t at) const { return u8(at) | u8(at + 1) << 8; }
  uint32_t little32(size_t at) const { return little16(at) | little16(at + 2) << 16; }
  bool has(size_t at, std::string_view text) const {
    return at <= bytes_.size() && text.size() <= bytes_.size() - at &&
           std::equal(text.begin(), text.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                      [](char c, std::byte b) {
                        return static_cast<unsigned char>(c) == std::to_integer<unsigned char>(b);
                      });
  }

 private:
  std::span<const std::byte> bytes_;
};

cv::Size size_of(uint32_t width, uint32_t height) {
  constexpr uint32_t kMost = 1u << 30;
  return {static_cast<int>(std::min(width, kMost)), static_cast<int>(std::min(height, kMost))};
}

std::optional<ImageHeader> png(const Bytes& b) {
  if (!b.has(12, "IHDR")) return std::nullopt;
  ImageHeader header{.format = "png", .size = size_of(b.big32(16), b.big32(20)), .cut_off = true};
  for (size_t at = 8; at + 12 <= b.size();) {
    size_t next = at + 12 + b.big32(at);
    if (b.has(at + 4, "IEND") && next <= b.size()) header.cut_off = false;
    at = next;
  }
  return header;
}

std::optional<ImageHeader> jpeg(const Bytes& b) {
  ImageHeader header{.format = "jpeg", .size = {}, .cut_off = true};
  size_t at = 2;
  while (at + 4 <= b.size()) {
    if (b.u8(at) != 0xff) return std::nullopt;
    uint32_t marker = b.u8(at + 1);
    if (marker == 0xff) {  // fill byte
      ++at;
      continue;
    }
    // Start of frame: C0..CF but for the tables C4, C8 and CC.
    if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc)
      header.size = size_of(b.big16(at + 7), b.big16(at + 5));
    at += 2 + b.big16(at + 2);
    if (marker == 0xda) break;  // the pixels follow
  }
  for (; at + 1 < b.size() && header.cut_off; ++at)
    if (b.u8(at) == 0xff && b.u8(at + 1) == 0xd9) header.cut_off = false;
  return header;
}

std::optional<ImageHeader> bmp(const Bytes& b) {
  if (b.little32(14) < 40) return std::nullopt;  // OS/2 headers of the eighties
  // Rows from the top are told by a negative height.
  auto height = static_cast<int32_t>(b.little32(22));
  return ImageHeader{.format = "bmp",
                     .size = size_of(b.little32(18), height < 0 ? 0u - static_cast<uint32_t>(height)
                                                                : static_cast<uint32_t>(height))};
}

std::optional<ImageHeader> tiff(const Bytes& b) {
  bool big = b.has(0, "MM");
  auto u16 = [&](size_t at) { return big ? b.big16(at) : b.little16(at); };
  auto u32 = [&](size_t at) { return big ? b.big32(at) : b.little32(at); };
  if (u16(2) != 42) return std::nullopt;
  size_t directory = u32(4);
  uint32_t width = 0, height = 0;
  for (size_t i = 0; i < u16(directory); ++i) {
    size_t entry = directory + 2 + 12 * i;
    constexpr uint32_t kShort = 3;
    uint32_t value = u16(entry + 2) == kShort ? u16(entry + 8) : u32(entry + 8);
    if (u16(entry) == 256) width = value;
    if (u16(entry) == 257) height = value;
  }
  return ImageHeader{.format = "tiff", .size = size_of(width, height)};
}

std::optional<ImageHeader> webp(const Bytes& b) {
  ImageHeader header{.format = "webp", .size = {}};
  auto u24 = [&](size_t at) { return b.little16(at) | b.u8(at + 2) << 16; };
  if (b.has(12, "VP8X"))
    header.size = size_of(u24(24) + 1, u24(27) + 1);
  else if (b.has(12, "VP8L"))
    header.size = size_of((b.little32(21) & 0x3fff) + 1, (b.little32(21) >> 14 & 0x3fff) + 1);
  else if (b.has(12, "VP8 "))
    header.size = size_of(b.little16(26) & 0x3fff, b.little16(28) & 0x3fff);
  return header;
}

}  // namespace

std::optional<ImageHeader> image_header(std::span<const std::byte> bytes) {
  Bytes b(bytes);
  std::optional<ImageHeader> header;
  if (b.has(0, "\x89PNG\r\n\x1a\n")) header = png(b);
  if (b.has(0, "\xff\xd8\xff")) header = jpeg(b);
  if (b.has(0, "BM")) header = bmp(b);
  if (b.has(0, "II") || b.has(0, "MM")) header = tiff(b);
  if (b.has(0, "RIFF") && b.has(8, "WEBP")) header = webp(b);
  if (header && (header->size.width < 1 || header->size.height < 1)) return std::nullopt;
  return header;
}

}  // namespace vultus
