#include "models/report/thumbnails.hpp"

#include <algorithm>
#include <map>
#include <opencv2/imgproc.hpp>

#include "models/face/crop.hpp"
#include "models/face/midline.hpp"
#include "models/face/mirror.hpp"
#include "models/face/overlay.hpp"
#include "models/image/image.hpp"
#include "models/video/reader.hpp"
#include "models/video/still.hpp"

namespace vultus::report {

namespace {

constexpr int kLargePx = 240, kSmallPx = 116;
constexpr int kLargeQuantiser = 4, kSmallQuantiser = 5;
constexpr double kMargin = 1.35;  ///< of the longer side of the face's box
constexpr double kBeside = 0.42;  ///< of the picture's side: where L and R stand
constexpr double kCapitalPx = 16;

/// A face that is wanted, and where its pictures go.
struct Shot {
  std::optional<double> seconds;
  face::Square square;
  std::optional<face::Midline> midline;
  std::vector<std::optional<Thumbnail>*> large;
  std::vector<std::optional<Thumbnail>*> small;
};

/// L and R beside the midline of a picture that `to_crop` has made of the frame.
void name_sides(cv::Mat& picture, const face::Midline& midline, const cv::Matx23d& to_crop,
                const measure::Sides& sides) {
  const auto in_crop = [&](const face::Point& p) {
    return face::Point{to_crop(0, 0) * p.x + to_crop(0, 2), to_crop(1, 1) * p.y + to_crop(1, 2)};
  };
  face::draw_sides(picture, {in_crop(midline.glabella), in_crop(midline.chin)},
                   kBeside * picture.cols, kCapitalPx, sides.mirrored_input);
}

/// With `sides`, L and R where the shot has a midline.
Result<std::string> jpeg_address(const cv::Mat& bgr, const Shot& shot, int size, int quantiser,
                                 const measure::Sides* sides = nullptr) {
  const face::Square& square = shot.square;
  const double side = std::max(square.side * kMargin, 1.0);
  const cv::Matx23d to_crop(size / side, 0, size / 2.0 - square.centre.x * size / side, 0,
                            size / side, size / 2.0 - square.centre.y * size / side);
  cv::Mat small;
  // Shrinking by more than two would skip pixels: a low-pass first.
  cv::Mat source = bgr;
  cv::Matx23d transform = to_crop;
  for (double ratio = side / size; ratio > 2 && std::min(source.cols, source.rows) > 4;
       ratio /= 2) {
    cv::Mat half;
    cv::pyrDown(source, half);
    source = half;
    transform(0, 0) *= 2;
    transform(1, 1) *= 2;
  }
  cv::warpAffine(source, small, transform, {size, size}, cv::INTER_LINEAR, cv::BORDER_CONSTANT,
                 cv::Scalar(128, 128, 128));
  if (sides && shot.midline) name_sides(small, *shot.midline, to_crop, *sides);
  VULTUS_TRY(const std::vector<std::byte> bytes, encode_jpeg(small, quantiser));
  return "data:image/jpeg;base64," + base64(bytes);
}

Result<void> take(const cv::Mat& bgr, int64_t frame, const Shot& shot,
                  const measure::Sides& sides) {
  Thumbnail thumbnail{frame, shot.seconds, {}, {}, {}};
  if (!shot.small.empty()) {
    VULTUS_TRY(thumbnail.whole, jpeg_address(bgr, shot, kSmallPx, kSmallQuantiser, &sides));
    for (auto* to : shot.small)
      *to = thumbnail;
  }
  if (shot.large.empty()) return {};
  VULTUS_TRY(thumbnail.whole, jpeg_address(bgr, shot, kLargePx, kLargeQuantiser, &sides));
  if (shot.midline) {
    face::MirroredPair pair;
    face::mirror_both(bgr, shot.midline, pair);
    sides.to_subject(pair.left, pair.right);
    VULTUS_TRY(thumbnail.left, jpeg_address(pair.left, shot, kLargePx, kLargeQuantiser));
    VULTUS_TRY(thumbnail.right, jpeg_address(pair.right, shot, kLargePx, kLargeQuantiser));
  }
  for (auto* to : shot.large)
    *to = thumbnail;
  return {};
}

/// Each wanted frame with its face. A place in the strip takes the first face from its frame on,
/// before the next place.
Result<std::map<int64_t, Shot>> find_shots(const RecordSource& records, const ThumbnailPlan& plan,
                                           std::vector<std::optional<Thumbnail>>& moments,
                                           std::vector<std::optional<Thumbnail>>& strip) {
  std::map<int64_t, Shot> shots;
  int64_t place = -1;
  VULTUS_CHECK(records([&](const FrameRecord& record) -> Result<void> {
    if (record.faces.empty()) return {};
    const auto wanted = std::ranges::find_if(
        record.faces, [&](const FaceRecord& face) { return face.face.id == plan.face_id; });
    const FaceRecord& first = wanted == record.faces.end() ? record.faces.front() : *wanted;
    Shot shot{record.seconds,
              face::square_of_longer_side(first.face.box),
              face::midline_of(first.face.landmarks),
              {},
              {}};
    for (size_t i = 0; i < plan.moments.size(); ++i)
      if (plan.moments[i] == record.frame) shot.large.push_back(&moments[i]);
    const int64_t here = (record.frame - 1) * plan.strip / std::max<int64_t>(plan.frames, 1);
    if (here > place && here < plan.strip) {
      place = here;
      shot.small.push_back(&strip[static_cast<size_t>(here)]);
    }
    if (!shot.large.empty() || !shot.small.empty()) shots.emplace(record.frame, std::move(shot));
    return {};
  }));
  return shots;
}

}  // namespace

std::string base64(std::span<const std::byte> bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < left; ++k)
      group |= std::to_integer<uint32_t>(bytes[i + k]) << (16 - 8 * k);
    for (size_t k = 0; k < 4; ++k)
      out += k > left ? '=' : kAlphabet[(group >> (18 - 6 * k)) & 63];
  }
  return out;
}

Result<Thumbnails> take_thumbnails(const std::string& input, const RecordSource& records,
                                   const ThumbnailPlan& plan) {
  Thumbnails out;
  out.moments.resize(plan.moments.size());
  std::vector<std::optional<Thumbnail>> strip(static_cast<size_t>(std::max(plan.strip, 0)));
  VULTUS_TRY(auto shots, find_shots(records, plan, out.moments, strip));
  if (is_image_path(input)) {
    VULTUS_TRY(cv::Mat picture, read_image(input));
    for (const auto& [frame, shot] : shots)
      VULTUS_CHECK(take(picture, frame, shot, plan.sides));
  } else if (!shots.empty()) {
    VULTUS_TRY(VideoReader reader, VideoReader::open(input));
    int64_t read = 0;
    for (const auto& [number, shot] : shots) {
      const int64_t between = number - 1 - read;
      VULTUS_TRY(int64_t skipped, reader.skip(between));
      if (skipped < between) break;
      VULTUS_TRY(std::optional<Frame> frame, reader.next());
      if (!frame) break;
      VULTUS_CHECK(take(frame->bgr, number, shot, plan.sides));
      read = number;
    }
  }
  for (std::optional<Thumbnail>& thumbnail : strip)
    if (thumbnail) out.strip.push_back(std::move(*thumbnail));
  return out;
}

}  // namespace vultus::report
