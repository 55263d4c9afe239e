#pragma once

// Inside models/image only.

#include <cstddef>
#include <opencv2/core/types.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace vultus {

/// What the first bytes of a picture file say, before any pixel is decoded.
struct ImageHeader {
  std::string_view format;  ///< png, jpeg, bmp, tiff, webp
  cv::Size size;            ///< as stored
  bool cut_off = false;     ///< the end mark of the format is missing (PNG and JPEG only)
};

/// Nothing when the bytes are none of the formats or their header is broken.
std::optional<ImageHeader> image_header(std::span<const std::byte> bytes);

}  // namespace vultus
