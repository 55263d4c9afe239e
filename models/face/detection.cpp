#include "models/face/detection.hpp"

namespace vultus::face {

namespace {

Detection to_frame(Detection detection, const SearchArea& area) {
  const double scale = static_cast<double>(area.side) / Detector::kAreaPixels;
  auto map = [&](const Point& p) {
    return (p + Point(0.5, 0.5)) * scale - Point(0.5, 0.5) + Point(area.x, area.y);
  };
  const Point first = map({detection.box.x1, detection.box.y1});
  const Point second = map({detection.box.x2, detection.box.y2});
  detection.box = {first.x, first.y, second.x, second.y};
  for (Point& p : detection.points)
    p = map(p);
  return detection;
}

}  // namespace

Result<std::vector<Detection>> Detector::detect(const cv::Mat& bgr) {
  VULTUS_CHECK(picture_->show(bgr));
  return search(0);
}

Result<std::vector<Detection>> Detector::search(size_t frame, const SearchArea& area) {
  VULTUS_TRY(std::vector<Detection> found, search_resampled(frame, area));
  for (Detection& detection : found)
    detection = to_frame(detection, area);
  return found;
}

}  // namespace vultus::face
