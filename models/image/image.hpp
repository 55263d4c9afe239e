#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>

#include "host/core/result.hpp"

namespace vultus {

/// By the file name's ending, any case: png jpg jpeg bmp tif tiff webp.
bool is_image_path(std::string_view path);
/// By the file name's ending, any case: mp4 m4v mov avi mkv webm mpg mpeg mts m2ts ts wmv 3gp.
bool is_video_path(std::string_view path);

/// A picture file as 8UC3 BGR, upright (EXIF orientation applied). Grey is spread over the three
/// channels, 16 bits are scaled down, alpha is dropped. bad_input with the file's name and the
/// reason; a side over `max_side_px` is refused before the pixels are decoded.
Result<cv::Mat> read_image(const std::string& path, int max_side_px = 16384);

/// 8UC3 BGR or 8UC1; written to a temporary name and renamed. unwritable with the system's text.
Result<void> write_png(const std::string& path, const cv::Mat& image);

}  // namespace vultus
