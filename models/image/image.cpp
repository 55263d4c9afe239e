#include "models/image/image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <opencv2/core.hpp>
#include <span>

#include "models/file/file.hpp"
#include "models/image/header.hpp"
#include "models/video/still.hpp"

namespace vultus {

namespace {

constexpr int64_t kMaxFileBytes = int64_t{1} << 30;
constexpr std::array<std::string_view, 7> kImages{"png", "jpg",  "jpeg", "bmp",
                                                  "tif", "tiff", "webp"};
constexpr std::array<std::string_view, 13> kVideos{
    "mp4", "m4v", "mov", "avi", "mkv", "webm", "mpg", "mpeg", "mts", "m2ts", "ts", "wmv", "3gp"};

bool ends_with_one_of(std::string_view path, std::span<const std::string_view> endings) {
  std::string_view name = path.substr(path.find_last_of('/') + 1);
  size_t dot = name.find_last_of('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  std::string ending(name.substr(dot + 1));
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

}  // namespace

bool is_image_path(std::string_view path) {
  return ends_with_one_of(path, kImages);
}
bool is_video_path(std::string_view path) {
  return ends_with_one_of(path, kVideos);
}

Result<cv::Mat> read_image(const std::string& path, int max_side_px) {
  auto refuse = [&](const std::string& reason) {
    return Error{Errc::bad_input, path + ": " + reason};
  };
  VULTUS_TRY(std::vector<std::byte> bytes, read_regular(path, kMaxFileBytes));
  if (bytes.empty()) return refuse("empty file");
  auto header = image_header(bytes);
  if (!header) return refuse("not a picture (PNG, JPEG, BMP, TIFF or WebP)");
  if (std::max(header->size.width, header->size.height) > max_side_px)
    return refuse(fmt::format("{}x{} is larger than the {} pixels a side accepted",
                              header->size.width, header->size.height, max_side_px));
  // A decoder would fill the missing part with grey.
  if (header->cut_off) return refuse("the picture is cut off");
  Result<cv::Mat> image = decode_still(bytes, header->format);
  if (!image) return Error{image.error().code, path + ": " + image.error().what};
  return image;
}

Result<void> write_png(const std::string& path, const cv::Mat& image) {
  if (image.empty() || (image.type() != CV_8UC3 && image.type() != CV_8UC1))
    return Error{Errc::usage, "cannot write " + path + ": the picture is not 8-bit BGR or grey"};
  const Result<std::vector<std::byte>> bytes = encode_png(image);
  if (!bytes) return Error{bytes.error().code, "cannot write " + path + ": " + bytes.error().what};
  VULTUS_TRY(PartialFile file, PartialFile::create(path));
  if (!write_all(file.descriptor(), bytes->data(), bytes->size())) return unwritable(path, errno);
  return file.commit();
}

}  // namespace vultus
