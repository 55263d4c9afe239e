#pragma once

#include <string>

#include "models/measure/quantities.hpp"
#include "models/measure/sample.hpp"

namespace vultus::measure {

/// Which frames show the face at rest.
struct BaselineChoice {
  enum class Kind : uint8_t { automatic, range, none };
  Kind kind = Kind::automatic;
  double from = 0, to = 0;  ///< seconds, as in the tables' column timestamp; both ends count
};

/// "auto", "none", or a range such as "0:02-0:04", "1:02:03.5-1:02:05" or "2.5-4" (hours and
/// minutes before colons, seconds with decimals), in letters of any case, with spaces and with an
/// en dash or a hyphen. usage with a sentence where it is none of them or
/// does not go forward.
Result<BaselineChoice> parse_baseline(const std::string& text);
/// The same choice as text, equal for equal choices.
std::string to_text(const BaselineChoice& choice);

/// Frames that were taken for rest.
struct Baseline {
  BaselineChoice::Kind kind = BaselineChoice::Kind::none;
  double from = 0, to = 0;  ///< seconds of the first and the last frame
  bool strict = true;       ///< automatic, with the lips closed and the eyes open
  int64_t frames = 0;       ///< of the face, that no flag of kVoidsGeometry voids

  /// "auto", "auto: mouth open or eyes closed", "named" or "none".
  std::string how() const;
};

/// Length of the automatic baseline. It is at least kLeastBaselineShare of that, of consecutive
/// frames of the track that no flag voids, with both eyes less than half closed and the inner lips
/// closer than kClosedLips of the distance of the eyes.
inline constexpr double kBaselineSeconds = 1;
inline constexpr double kLeastBaselineShare = 0.8;
inline constexpr int kLeastBaselineFrames = 5;
inline constexpr double kClosedLips = 0.08;

/// The second in which the face is nearest to how it looks most of the time and moves least: the
/// lowest mean of (distance from the track's median face + distance from the frame before), both
/// root mean squares over all points of shape_of. So an expression that is held for a while is not
/// taken for rest, unless it is held most of the time. Nothing where no second fulfils the
/// conditions; eyes and lips are then not asked for in a second attempt (`strict` false).
Result<std::optional<Baseline>> find_baseline(const RecordSource& source,
                                              const MeasureOptions& options, const Survey& survey,
                                              int face_id, bool strict);

/// Root mean square distance of these points of two shapes; of all where none are named.
double shape_distance(std::span<const Point> a, std::span<const Point> b,
                      std::span<const int> points = {});

/// The median place of every point over the frames that are pushed, in bounded memory.
class MedianShape {
 public:
  void push(std::span<const Point> shape);
  bool empty() const { return x_.empty(); }
  std::vector<Point> median() const;

 private:
  std::vector<BoundedSample> x_, y_;
};

}  // namespace vultus::measure
