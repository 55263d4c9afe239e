#include "models/face/blur.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace vultus::face {

namespace {

constexpr int kSide = 64, kAverage = 7;

/// The box's pixels that are in the picture.
cv::Rect inside(const cv::Mat& picture, const Box& box) {
  auto pixel = [](double v, int limit) {
    return static_cast<int>(std::lround(std::clamp(v, 0.0, double(limit))));
  };
  if (!std::isfinite(box.x1 + box.y1 + box.x2 + box.y2)) return {};
  const cv::Point first(pixel(box.x1, picture.cols), pixel(box.y1, picture.rows));
  const cv::Point last(pixel(box.x2, picture.cols), pixel(box.y2, picture.rows));
  return last.x > first.x && last.y > first.y ? cv::Rect(first, last) : cv::Rect();
}

/// Absolute differences of neighbours in a row.
cv::Mat steps(const cv::Mat& grey) {
  cv::Mat difference;
  cv::absdiff(grey.colRange(1, grey.cols), grey.colRange(0, grey.cols - 1), difference);
  return difference;
}

std::optional<double> along_rows(const cv::Mat& grey) {
  cv::Mat averaged, lost;
  cv::blur(grey, averaged, {kAverage, 1}, {-1, -1}, cv::BORDER_REPLICATE);
  const cv::Mat sharp = steps(grey);
  const double all = cv::sum(sharp)[0];
  if (!(all > 0)) return std::nullopt;
  cv::subtract(sharp, steps(averaged), lost);
  return 1 - cv::sum(cv::max(lost, 0))[0] / all;
}

}  // namespace

std::optional<double> blur_of(const cv::Mat& bgr, const Box& box) {
  const cv::Rect area = inside(bgr, box);
  if (area.empty()) return std::nullopt;
  cv::Mat small, grey;
  cv::resize(bgr(area), small, {kSide, kSide}, 0, 0, cv::INTER_AREA);
  cv::cvtColor(small, grey, cv::COLOR_BGR2GRAY);
  grey.convertTo(grey, CV_32F);
  return std::max(along_rows(grey), along_rows(grey.t()));
}

}  // namespace vultus::face
