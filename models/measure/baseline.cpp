#include "models/measure/baseline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <limits>

namespace vultus::measure {

namespace {

// Of each coordinate; more frames are thinned evenly.
constexpr size_t kShapeSample = 512;

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  if (!std::isfinite(value) || value < 0 || text[0] == '-') return {};
  return value;
}

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

/// Small letters, and a hyphen for each en dash, em dash and minus sign.
std::string plain(std::string_view typed) {
  std::string text;
  while (!typed.empty()) {
    size_t taken = 1;
    for (std::string_view dash : {"\u2013", "\u2014", "\u2212"})
      if (typed.starts_with(dash)) taken = dash.size();
    const char c = typed[0];
    text.push_back(taken > 1 ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    typed.remove_prefix(taken);
  }
  return text;
}

/// [[H:]M:]S[.fraction] in seconds.
std::optional<double> parse_time(std::string_view text) {
  double seconds = 0;
  for (int part = 0; part < 3; ++part) {
    const size_t colon = text.find(':');
    const std::optional<double> number = parse_number(text.substr(0, colon));
    if (!number || (part > 0 && *number >= 60)) return {};
    seconds = 60 * seconds + *number;
    if (colon == std::string_view::npos) return seconds;
    if (*number != std::floor(*number)) return {};
    text = text.substr(colon + 1);
  }
  return {};
}

bool at_ease(const Landmarks& landmarks, const LevelFace& level, const FaceMeasures& measures) {
  const MiddleFace& middle = middle_of(landmarks.scheme);
  const double gap = std::abs(level(middle.inner_lower).y - level(middle.inner_upper).y);
  if (gap > kClosedLips * level.eyes_px()) return false;
  for (const EyeMeasures* eye : {&measures.left, &measures.right})
    if (eye->closure && *eye->closure >= kClosing) return false;
  return true;
}

/// The stillest stretch of about kBaselineSeconds.
class StillestStretch {
 public:
  explicit StillestStretch(bool strict) : strict_(strict) {}
  void break_off() {
    frames_.clear();
    sum_ = 0;
  }
  void push(double seconds, double unrest) {
    frames_.push_back({seconds, unrest});
    sum_ += unrest;
    while (seconds - frames_.front().seconds > kBaselineSeconds) {
      sum_ -= frames_.front().unrest;
      frames_.pop_front();
    }
    const auto count = static_cast<double>(frames_.size());
    if (seconds - frames_.front().seconds < kLeastBaselineShare * kBaselineSeconds ||
        count < kLeastBaselineFrames || !(sum_ / count < lowest_))
      return;
    lowest_ = sum_ / count;
    best_ = Baseline{BaselineChoice::Kind::automatic, frames_.front().seconds, seconds, strict_,
                     static_cast<int64_t>(frames_.size())};
  }
  const std::optional<Baseline>& best() const { return best_; }

 private:
  struct Frame {
    double seconds, unrest;
  };
  bool strict_;
  std::deque<Frame> frames_;
  double sum_ = 0, lowest_ = std::numeric_limits<double>::infinity();
  std::optional<Baseline> best_;
};

/// The shape of the face with this id where no flag voids it.
struct Seen {
  const Landmarks* landmarks;
  const FaceMeasures* measures;
  LevelFace level;
  std::vector<Point> shape;
};
std::optional<Seen> seen(const FrameRecord& record, std::span<const FaceMeasures> faces, int id) {
  for (size_t i = 0; i < faces.size(); ++i) {
    const face::TrackedFace& face = record.faces[i].face;
    if (face.id != id || (faces[i].quality & kVoidsGeometry).any()) continue;
    if (auto level = LevelFace::of(face.landmarks))
      return Seen{&face.landmarks, &faces[i], *level, shape_of(face.landmarks, *level)};
  }
  return {};
}

}  // namespace

Result<BaselineChoice> parse_baseline(const std::string& typed) {
  using Kind = BaselineChoice::Kind;
  const std::string small = plain(typed);
  const std::string_view text = trimmed(small);
  if (text == "auto") return BaselineChoice{};
  if (text == "none") return BaselineChoice{Kind::none, 0, 0};
  const size_t dash = text.find('-');
  if (dash != std::string_view::npos) {
    const auto from = parse_time(trimmed(text.substr(0, dash)));
    const auto to = parse_time(trimmed(text.substr(dash + 1)));
    if (from && to && *from < *to) return BaselineChoice{Kind::range, *from, *to};
  }
  if (text.find(',') != std::string_view::npos)
    return Error{Errc::usage,
                 fmt::format("'{}' is no baseline: fractions of a second take a point, as in "
                             "0:01.5-0:03, and plain seconds work as well: 1.5-3",
                             typed)};
  return Error{Errc::usage, fmt::format("'{}' is no baseline; use auto, none, or a stretch of the "
                                        "video that goes forward, such as 0:02-0:04",
                                        typed)};
}

std::string Baseline::how() const {
  if (kind == BaselineChoice::Kind::range) return "named";
  if (kind == BaselineChoice::Kind::none) return "none";
  return strict ? "auto" : "auto: mouth open or eyes closed";
}

std::string to_text(const BaselineChoice& choice) {
  if (choice.kind == BaselineChoice::Kind::automatic) return "auto";
  if (choice.kind == BaselineChoice::Kind::none) return "none";
  return fmt::format("{}-{}", choice.from, choice.to);
}

double shape_distance(std::span<const Point> a, std::span<const Point> b,
                      std::span<const int> points) {
  double sum = 0;
  auto add = [&](size_t i) {
    const Point d = a[i] - b[i];
    sum += d.dot(d);
  };
  for (size_t i = 0; points.empty() && i < a.size(); ++i)
    add(i);
  for (int i : points)
    add(static_cast<size_t>(i));
  return std::sqrt(sum / static_cast<double>(points.empty() ? a.size() : points.size()));
}

void MedianShape::push(std::span<const Point> shape) {
  x_.resize(shape.size(), BoundedSample(kShapeSample));
  y_.resize(shape.size(), BoundedSample(kShapeSample));
  for (size_t i = 0; i < shape.size(); ++i) {
    x_[i].push(shape[i].x);
    y_[i].push(shape[i].y);
  }
}

std::vector<Point> MedianShape::median() const {
  std::vector<Point> shape;
  for (size_t i = 0; i < x_.size(); ++i)
    shape.emplace_back(x_[i].median().value_or(0), y_[i].median().value_or(0));
  return shape;
}

Result<std::optional<Baseline>> find_baseline(const RecordSource& source,
                                              const MeasureOptions& options, const Survey& survey,
                                              int face_id, bool strict) {
  MedianShape shapes;
  VULTUS_CHECK(for_each_measured(source, options, survey,
                                 [&](const FrameRecord& record, auto faces) -> Result<void> {
                                   if (auto face = seen(record, faces, face_id))
                                     shapes.push(face->shape);
                                   return {};
                                 }));
  if (shapes.empty()) return std::optional<Baseline>();
  const std::vector<Point> median = shapes.median();
  StillestStretch stretch(strict);
  std::vector<Point> before;
  VULTUS_CHECK(for_each_measured(
      source, options, survey, [&](const FrameRecord& record, auto faces) -> Result<void> {
        auto face = seen(record, faces, face_id);
        if (!face || !record.seconds ||
            (strict && !at_ease(*face->landmarks, face->level, *face->measures))) {
          stretch.break_off();
          before.clear();
          return {};
        }
        const double moved = before.empty() ? 0 : shape_distance(face->shape, before);
        stretch.push(*record.seconds, shape_distance(face->shape, median) + moved);
        before = std::move(face->shape);
        return {};
      }));
  return stretch.best();
}

}  // namespace vultus::measure
