#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "host/core/result.hpp"

namespace vultus {

/// A picture file's bytes as 8UC3 BGR, upright; `format` is png, jpeg, bmp, tiff or webp. bad_input
/// with the reason alone.
Result<cv::Mat> decode_still(std::span<const std::byte> file, std::string_view format);

/// 8UC3 BGR or 8UC1; the same pictures give the same bytes.
Result<std::vector<std::byte>> encode_png(const cv::Mat& picture);
/// 8UC3 BGR, 4:2:0. `quantiser`: 2 best .. 31.
Result<std::vector<std::byte>> encode_jpeg(const cv::Mat& bgr, int quantiser);

}  // namespace vultus
