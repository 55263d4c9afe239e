#include "models/face/overlay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace vultus::face {

namespace {

// OpenCV draws at 1/16 px when coordinates carry four fraction bits.
constexpr int kShift = 4;
// Farther points say nothing on the picture and would overflow the fixed point.
constexpr double kFarAway = 1e5;
constexpr double kReferenceHeight = 720;  // where the sizes below are taken in pixels

const cv::Scalar kContour(255, 200, 60), kBrow(80, 220, 255), kNose(120, 255, 120),
    kEye(255, 255, 90), kMouth(170, 130, 255), kBox(60, 200, 60), kMidline(60, 60, 255),
    kWhite(255, 255, 255), kBlack(0, 0, 0), kWarning(60, 170, 255);

struct Part {
  size_t first, last;
  bool closed;
  const cv::Scalar& colour;
};

// WFLW: jaw, two brows (outlines), nose ridge and base, two eyes, outer and inner lip, pupils.
constexpr size_t kPupils = 96;
const std::vector<Part> kWflw{
    {0, 32, false, kContour}, {33, 41, true, kBrow},  {42, 50, true, kBrow},
    {51, 54, false, kNose},   {55, 59, false, kNose}, {60, 67, true, kEye},
    {68, 75, true, kEye},     {76, 87, true, kMouth}, {88, 95, true, kMouth}};
const std::vector<Part> kIbug{
    {0, 16, false, kContour}, {17, 21, false, kBrow}, {22, 26, false, kBrow},
    {27, 30, false, kNose},   {31, 35, false, kNose}, {36, 41, true, kEye},
    {42, 47, true, kEye},     {48, 59, true, kMouth}, {60, 67, true, kMouth}};

class Pen {
 public:
  explicit Pen(cv::Mat& canvas) : canvas_(canvas), scale_(canvas.rows / kReferenceHeight) {}

  int width(double px) const { return std::max(1, static_cast<int>(std::lround(px * scale_))); }

  void line(const Point& from, const Point& to, const cv::Scalar& colour, double px) {
    if (drawable(from) && drawable(to))
      cv::line(canvas_, fixed(from), fixed(to), colour, width(px), cv::LINE_AA, kShift);
  }

  /// Dots are no larger than `px` of the picture; on a small face they would run together.
  void limit_dots(double px) { largest_dot_ = px; }

  /// A dot in a dark rim, which keeps it visible on skin as on cloth, where there is room for one.
  void dot(const Point& at, const cv::Scalar& colour, double px) {
    if (!drawable(at)) return;
    double radius = std::max(0.6, std::min(px * scale_, largest_dot_));
    if (radius > 1.2) ring(at, radius + 0.6, kBlack);
    ring(at, radius, colour);
  }

  /// A line at the upper left, its end in another colour.
  void text(const std::string& begin, const std::string& end) {
    double size = std::max(0.36, 0.62 * scale_);
    int thick = width(1.4);
    int base = 0;
    auto extent_of = [&](const std::string& words) {
      return cv::getTextSize(words, cv::FONT_HERSHEY_SIMPLEX, size, thick, &base);
    };
    cv::Size box = extent_of(begin + end);
    if (const int room = canvas_.cols - 2 * std::max(4, width(8)); box.width > room) {
      size *= std::max(0.2, static_cast<double>(room) / box.width);
      box = extent_of(begin + end);
    }
    int margin = std::max(4, width(8));
    cv::Rect band(0, 0, std::min(canvas_.cols, box.width + 2 * margin),
                  std::min(canvas_.rows, box.height + base + 2 * margin));
    canvas_(band) *= 0.35;
    auto put = [&](const std::string& words, int x, const cv::Scalar& colour) {
      cv::putText(canvas_, words, cv::Point(x, margin + box.height), cv::FONT_HERSHEY_SIMPLEX, size,
                  colour, thick, cv::LINE_AA);
    };
    put(begin, margin, kWhite);
    put(end, margin + extent_of(begin).width, kWarning);
  }

 private:
  static bool drawable(const Point& p) {
    return std::abs(p.x) < kFarAway && std::abs(p.y) < kFarAway;
  }
  static cv::Point fixed(const Point& p) {
    return {static_cast<int>(std::lround(p.x * (1 << kShift))),
            static_cast<int>(std::lround(p.y * (1 << kShift)))};
  }
  void ring(const Point& at, double radius, const cv::Scalar& colour) {
    cv::circle(canvas_, fixed(at), static_cast<int>(std::lround(radius * (1 << kShift))), colour,
               cv::FILLED, cv::LINE_AA, kShift);
  }

  cv::Mat& canvas_;
  double scale_;
  double largest_dot_ = std::numeric_limits<double>::infinity();
};

void draw_landmarks(Pen& pen, const Landmarks& landmarks) {
  if (landmarks.points.size() != point_count(landmarks.scheme)) {
    for (const Point& p : landmarks.points)
      pen.dot(p, kWhite, 1.6);
    return;
  }
  constexpr double kDotsAcrossAFace = 90;
  if (double width = extent(landmarks).width(); width > 0) pen.limit_dots(width / kDotsAcrossAFace);
  bool wflw = landmarks.scheme == LandmarkScheme::wflw98;
  for (const Part& part : wflw ? kWflw : kIbug) {
    for (size_t i = part.first; i < part.last; ++i)
      pen.line(landmarks[i], landmarks[i + 1], part.colour, 1.2);
    if (part.closed) pen.line(landmarks[part.last], landmarks[part.first], part.colour, 1.2);
    for (size_t i = part.first; i <= part.last; ++i)
      pen.dot(landmarks[i], part.colour, 1.6);
  }
  if (wflw)
    for (size_t i = kPupils; i < landmarks.points.size(); ++i)
      pen.dot(landmarks[i], kWhite, 2.4);
}

void draw_midline(Pen& pen, const Midline& midline, cv::Size size) {
  double dx = midline.chin.x - midline.glabella.x;
  double dy = midline.chin.y - midline.glabella.y;
  double length = std::hypot(dx, dy);
  if (!(length > 0)) return;
  double reach = std::hypot(size.width, size.height) / length;
  pen.line({midline.glabella.x - dx * reach, midline.glabella.y - dy * reach},
           {midline.chin.x + dx * reach, midline.chin.y + dy * reach}, kMidline, 1.6);
  pen.dot(midline.glabella, kMidline, 2.6);
  pen.dot(midline.chin, kMidline, 2.6);
}

/// A capital in a dark rim, moved from `at` into the picture; none where that takes it to less than
/// its own extent from the midline on its side, `outward` (of length 1).
void draw_letter(cv::Mat& canvas, const char* letter, const Point& middle, const Point& outward,
                 double reach, double height) {
  constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
  constexpr double kCapital = 21;  // pixels that one is high at scale 1
  const double scale = height / kCapital;
  const int thick = std::max(1, static_cast<int>(std::lround(2 * scale)));
  int base = 0;
  const cv::Size box = cv::getTextSize(letter, kFont, scale, thick, &base);
  const double width = box.width / 2.0 + 2, tall = box.height / 2.0 + 2;
  if (canvas.cols < 2 * width || canvas.rows < 2 * tall) return;
  const Point at{std::clamp(middle.x + outward.x * reach, width, canvas.cols - width),
                 std::clamp(middle.y + outward.y * reach, tall, canvas.rows - tall)};
  if ((at - middle).dot(outward) < std::max(width, tall)) return;
  const cv::Point corner(static_cast<int>(std::lround(at.x - box.width / 2.0)),
                         static_cast<int>(std::lround(at.y + box.height / 2.0)));
  cv::putText(canvas, letter, corner, kFont, scale, kBlack, thick + 2, cv::LINE_AA);
  cv::putText(canvas, letter, corner, kFont, scale, kWhite, thick, cv::LINE_AA);
}

}  // namespace

void draw_sides(cv::Mat& picture, const Midline& midline, double reach, double height,
                bool mirrored_input) {
  const Point down = midline.chin - midline.glabella;
  const Point middle = (midline.glabella + midline.chin) / 2;
  const double length = std::hypot(down.x, down.y);
  const bool near = std::abs(middle.x) < kFarAway && std::abs(middle.y) < kFarAway;
  if (picture.empty() || !near || !(length > 0 && length < kFarAway) || !(reach < kFarAway)) return;
  // Of an upright face the subject's left is on the picture's right.
  const double side = (mirrored_input ? -1 : 1) / length;
  const Point left{down.y * side, -down.x * side};
  draw_letter(picture, "L", middle, left, reach, height);
  draw_letter(picture, "R", middle, -left, reach, height);
}

std::string overlay_header(int64_t frame, double seconds, std::optional<double> confidence) {
  std::string face = confidence ? fmt::format("face {:.3f}", *confidence) : "no face";
  return fmt::format("frame {}   {:.3f} s   {}", frame, seconds, face);
}

cv::Mat draw_overlay(const cv::Mat& frame, const Overlay& overlay) {
  cv::Mat canvas = frame.clone();
  if (canvas.empty()) return canvas;
  Pen pen(canvas);
  if (overlay.midline) draw_midline(pen, *overlay.midline, frame.size());
  if (const auto& box = overlay.box) {
    const Point corners[] = {
        {box->x1, box->y1}, {box->x2, box->y1}, {box->x2, box->y2}, {box->x1, box->y2}};
    for (size_t i = 0; i < 4; ++i)
      pen.line(corners[i], corners[(i + 1) % 4], kBox, 1.8);
  }
  draw_landmarks(pen, overlay.landmarks);
  if (overlay.midline && overlay.box) {
    constexpr double kBeside = 0.75, kCapital = 18;  // of the box's width; pixels at 720 lines
    draw_sides(canvas, *overlay.midline, kBeside * overlay.box->width(),
               std::max(9.0, kCapital * canvas.rows / kReferenceHeight), overlay.mirrored_input);
  }
  if (!overlay.header.empty())
    pen.text(overlay.header, overlay.warning.empty() ? "" : "   " + overlay.warning);
  return canvas;
}

}  // namespace vultus::face
