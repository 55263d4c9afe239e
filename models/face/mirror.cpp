#include "models/face/mirror.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <opencv2/core.hpp>
#include <utility>
#include <vector>

namespace vultus::face {

namespace {

// Positions step along a row in fixed point with 32 fraction bits: exact to 1e-6 px at 8192 px.
constexpr int kFraction = 32;
// Bilinear weights keep 16 bits, the mean of a row's two pixels 8 below the point: an error under
// 0.01 grey levels.
constexpr int kWeight = 16, kMean = 8;
constexpr uint32_t kWhole = 1u << kWeight;
// Beyond this a coordinate is a mistake, and fixed point would overflow.
constexpr double kFarAway = 1e6;

/// The midline as a point, a unit vector along it and the unit normal towards the patient's right.
struct Axis {
  double x, y;
  double normal_x, normal_y;

  double distance(double px, double py) const { return (px - x) * normal_x + (py - y) * normal_y; }
};

std::optional<Axis> axis_of(const std::optional<Midline>& midline) {
  if (!midline) return std::nullopt;
  const auto& [glabella, chin] = *midline;
  for (double c : {glabella.x, glabella.y, chin.x, chin.y})
    if (!(std::abs(c) < kFarAway)) return std::nullopt;
  double dx = chin.x - glabella.x;
  double dy = chin.y - glabella.y;
  double length = std::hypot(dx, dy);
  if (length < 1e-3) return std::nullopt;
  return Axis{glabella.x, glabella.y, -dy / length, dx / length};
}

int64_t fixed(double value) {
  return std::llround(value * static_cast<double>(int64_t{1} << kFraction));
}

/// Writes the reflection of the pixels of row `y` that lie in [begin, end) to `out`.
void reflect_row(const cv::Mat& frame, const Axis& axis, int y, int begin, int end, uint8_t* out) {
  // Counted from column 0 wherever the row begins, so that any part of it is the same.
  const double t = axis.distance(0, y);
  const int64_t step_x = fixed(1 - 2 * axis.normal_x * axis.normal_x);
  const int64_t step_y = fixed(-2 * axis.normal_x * axis.normal_y);
  int64_t qx = fixed(-2 * t * axis.normal_x) + begin * step_x;
  int64_t qy = fixed(y - 2 * t * axis.normal_y) + begin * step_y;
  const int64_t last_x = frame.cols - 1;
  const int64_t last_y = frame.rows - 1;
  const auto stride = static_cast<int64_t>(frame.step[0]);
  for (int x = begin; x < end; ++x, qx += step_x, qy += step_y, out += 3) {
    int64_t ix = qx >> kFraction;
    int64_t iy = qy >> kFraction;
    const auto wx = static_cast<uint32_t>(qx >> (kFraction - kWeight)) & (kWhole - 1);
    const auto wy = static_cast<uint32_t>(qy >> (kFraction - kWeight)) & (kWhole - 1);
    int64_t left = 3 * std::clamp<int64_t>(ix, 0, last_x);
    int64_t right = 3 * std::clamp<int64_t>(ix + 1, 0, last_x);
    const uint8_t* upper = frame.data + std::clamp<int64_t>(iy, 0, last_y) * stride;
    const uint8_t* lower = frame.data + std::clamp<int64_t>(iy + 1, 0, last_y) * stride;
    for (int c = 0; c < 3; ++c) {
      auto mean_of = [&](const uint8_t* row) {
        return (row[left + c] * (kWhole - wx) + row[right + c] * wx +
                (1u << (kWeight - kMean - 1))) >>
               (kWeight - kMean);
      };
      out[c] = static_cast<uint8_t>(
          (mean_of(upper) * (kWhole - wy) + mean_of(lower) * wy + (1u << (kWeight + kMean - 1))) >>
          (kWeight + kMean));
    }
  }
}

/// Where a row meets the seam: [low, high) is cross-faded; the patient's right is before or after.
struct Split {
  int low, high;
  bool right_first;
};

Split split_row(const Axis& axis, int y, int width) {
  constexpr double half = kSeamWidth / 2.0;
  double t = axis.distance(0, y);
  // A row along the midline: all of it at one distance.
  if (std::abs(axis.normal_x) * width < 1e-9) {
    if (t >= half) return {width, width, true};
    if (t <= -half) return {0, 0, true};
    return {0, width, true};
  }
  double one = (half - t) / axis.normal_x;
  double other = (-half - t) / axis.normal_x;
  auto column = [&](double x) {
    return static_cast<int>(std::clamp(std::ceil(x), 0.0, static_cast<double>(width)));
  };
  return {column(std::min(one, other)), column(std::max(one, other)), axis.normal_x < 0};
}

/// Columns [begin, end) of one row of one side: the frame where it is kept, else `reflected`. All
/// rows begin at column `begin`.
void compose_row(const uint8_t* frame, const uint8_t* reflected, const Axis& axis, int y, int begin,
                 int end, const Split& split, Side side, uint8_t* out) {
  const bool kept_first = split.right_first == (side == Side::right);
  const int low = std::clamp(split.low, begin, end), high = std::clamp(split.high, begin, end);
  auto at = [&](int x) { return static_cast<size_t>(3 * (x - begin)); };
  std::memcpy(out, kept_first ? frame : reflected, at(low));
  std::memcpy(out + at(high), (kept_first ? reflected : frame) + at(high), at(end) - at(high));
  for (int x = low; x < high; ++x) {
    double t = axis.distance(x, y) * (side == Side::right ? 1 : -1);
    double weight = std::clamp(0.5 + t / static_cast<double>(kSeamWidth), 0.0, 1.0);
    for (size_t i = at(x); i < at(x) + 3; ++i)
      out[i] = static_cast<uint8_t>(reflected[i] + weight * (frame[i] - reflected[i]) + 0.5);
  }
}

/// Fills the sides that are given with what `area` of the mirrored frame holds.
void mirror_about(const cv::Mat& frame, const Axis& axis, const cv::Rect& area, cv::Mat* right,
                  cv::Mat* left) {
  const int first = area.x, last = area.x + area.width;
  cv::parallel_for_(cv::Range(area.y, area.y + area.height), [&](const cv::Range& rows) {
    std::vector<uint8_t> reflected(static_cast<size_t>(area.width) * 3);
    for (int y = rows.start; y < rows.end; ++y) {
      Split split = split_row(axis, y, frame.cols);
      // What one side keeps need not be reflected unless the other side is wanted too.
      bool all = right != nullptr && left != nullptr;
      bool kept_first = split.right_first == (right != nullptr);
      int begin = std::clamp(all || !kept_first ? 0 : split.low, first, last);
      int end = std::clamp(all || kept_first ? frame.cols : split.high, first, last);
      reflect_row(frame, axis, y, begin, end,
                  reflected.data() + 3 * static_cast<size_t>(begin - first));
      for (auto [out, side] : {std::pair{right, Side::right}, std::pair{left, Side::left}})
        if (out != nullptr)
          compose_row(frame.ptr(y, first), reflected.data(), axis, y, first, last, split, side,
                      out->ptr(y - area.y));
    }
  });
}

}  // namespace

cv::Mat mirror(const cv::Mat& frame, const std::optional<Midline>& midline, Side side) {
  assert(frame.type() == CV_8UC3);
  auto axis = axis_of(midline);
  if (!axis) return frame.clone();
  cv::Mat out(frame.size(), CV_8UC3);
  mirror_about(frame, *axis, {{0, 0}, frame.size()}, side == Side::right ? &out : nullptr,
               side == Side::left ? &out : nullptr);
  return out;
}

void mirror_both(const cv::Mat& frame, const std::optional<Midline>& midline, MirroredPair& out) {
  mirror_both(frame, midline, {{0, 0}, frame.size()}, out);
}

void mirror_both(const cv::Mat& frame, const std::optional<Midline>& midline, const cv::Rect& area,
                 MirroredPair& out) {
  assert(frame.type() == CV_8UC3);
  assert((area & cv::Rect({0, 0}, frame.size())) == area);
  auto axis = axis_of(midline);
  if (!axis) {
    frame(area).copyTo(out.right);
    frame(area).copyTo(out.left);
    return;
  }
  out.right.create(area.size(), CV_8UC3);
  out.left.create(area.size(), CV_8UC3);
  mirror_about(frame, *axis, area, &out.right, &out.left);
}

MirrorLine mirror_line(const std::optional<Midline>& midline, Side side, const Point& near) {
  const auto axis = axis_of(midline);
  if (!axis) return {};
  const double t = axis->distance(near.x, near.y);
  return {near.x - t * axis->normal_x, near.y - t * axis->normal_y, axis->normal_x, axis->normal_y,
          side == Side::right ? 1 : -1};
}

}  // namespace vultus::face
