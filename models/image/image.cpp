#include "models/image/image.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <span>

#include "models/file/file.hpp"
#include "models/image/header.hpp"

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

/// Cuts colour profiles out of a PNG: we do not use them, and libpng prints its opinion of them.
void drop_png_profiles(std::vector<std::byte>& bytes) {
  constexpr size_t kSignature = 8, kFrame = 12;  // length, name and checksum of a chunk
  size_t to = kSignature;
  for (size_t at = kSignature; at + kFrame <= bytes.size();) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i)
      length = length << 8 | std::to_integer<size_t>(bytes[at + i]);
    size_t whole = std::min(length + kFrame, bytes.size() - at);
    bool profile = std::memcmp(&bytes[at + 4], "iCCP", 4) == 0;
    if (!profile) {
      std::memmove(&bytes[to], &bytes[at], whole);
      to += whole;
    }
    at += whole;
  }
  bytes.resize(std::min(to, bytes.size()));
}

Result<void> write_encoded(const std::string& path, const cv::Mat& image, const char* ending,
                           const std::vector<int>& parameters) {
  if (image.empty() || (image.type() != CV_8UC3 && image.type() != CV_8UC1))
    return Error{Errc::usage, "cannot write " + path + ": the picture is not 8-bit BGR or grey"};
  std::vector<uint8_t> bytes;
  try {
    if (!cv::imencode(ending, image, bytes, parameters))
      return Error{Errc::unwritable, "cannot write " + path + ": the picture cannot be encoded"};
  } catch (const cv::Exception& e) {
    return Error{Errc::unwritable, "cannot write " + path + ": " + e.err};
  }
  VULTUS_TRY(PartialFile file, PartialFile::create(path));
  if (!write_all(file.descriptor(), bytes.data(), bytes.size())) return unwritable(path, errno);
  return file.commit();
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
  if (header->format == "png") drop_png_profiles(bytes);
  cv::Mat image;
  try {
    cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8UC1, bytes.data());
    image = cv::imdecode(raw, cv::IMREAD_COLOR);
  } catch (const cv::Exception& e) {
    return refuse("cannot be decoded: " + e.err);
  }
  if (image.empty() || image.type() != CV_8UC3) return refuse("cannot be decoded: it is damaged");
  return image;
}

Result<void> write_png(const std::string& path, const cv::Mat& image) {
  return write_encoded(path, image, ".png", {cv::IMWRITE_PNG_COMPRESSION, 3});
}

Result<void> write_jpg(const std::string& path, const cv::Mat& image, int quality) {
  return write_encoded(path, image, ".jpg",
                       {cv::IMWRITE_JPEG_QUALITY, std::clamp(quality, 1, 100)});
}

}  // namespace vultus
