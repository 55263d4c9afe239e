#include "models/report/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "models/face/expression.hpp"

namespace vultus::report {

namespace {

int thousandths(float value) {
  return static_cast<int>(std::lround(1000 * std::clamp(value, 0.0F, 1.0F)));
}

/// Without the expression network's scores where a flag makes them doubtful, as in left.csv.
FaceSample trusted(FaceSample face) {
  if (!(face.flags & measure::kVoidsExpression).any()) return face;
  for (size_t i = 0; i < kActionUnits.size(); ++i)
    if (std::ranges::find(face::Expression::kActionUnits, kActionUnits[i].code) !=
        face::Expression::kActionUnits.end())
      face.left[i] = face.right[i] = std::nullopt;
  return face;
}

/// Least and largest value of a slot, and which came first.
struct Extremes {
  int low = kGap, high = kGap;
  bool high_first = false;

  void push(const std::optional<float>& value) {
    if (!value || !std::isfinite(*value)) return;
    const int v = thousandths(*value);
    if (low == kGap) {
      low = high = v;
    } else if (v < low) {
      low = v;
      high_first = true;
    } else if (v > high) {
      high = v;
      high_first = false;
    }
  }
  void take(Series& series, int points) {
    if (points == 1) {
      series.push_back(high);
    } else {
      series.push_back(high_first ? high : low);
      series.push_back(high_first ? low : high);
    }
    *this = {};
  }
};

void extend(Extent& extent, const FrameSample& frame, const std::optional<float>& value) {
  if (!value || !std::isfinite(*value)) return;
  if (extent.frames++ == 0 || *value > extent.largest) {
    extent.largest = *value;
    extent.largest_frame = frame.frame;
    extent.largest_seconds = frame.seconds;
  }
  extent.sum += *value;
}

/// A face's curves while they are made.
struct Collector {
  FaceCurves curves;
  std::array<Extremes, kActionUnits.size()> left, right;
  std::optional<int> in_slot;  ///< the track that the slot is of

  void push(const FrameSample& frame, const FaceSample& face) {
    if (!in_slot) in_slot = face.id;
    const bool shown = in_slot == face.id, told = curves.id == face.id;
    curves.frames += told;
    for (size_t i = 0; i < kActionUnits.size(); ++i) {
      if (shown) {
        left[i].push(face.left[i]);
        right[i].push(face.right[i]);
      }
      if (told) {
        extend(curves.left_extent[i], frame, face.left[i]);
        extend(curves.right_extent[i], frame, face.right[i]);
      }
    }
  }
  void end_slot(int points) {
    in_slot.reset();
    for (size_t i = 0; i < kActionUnits.size(); ++i) {
      left[i].take(curves.left[i], points);
      right[i].take(curves.right[i], points);
    }
  }
};

/// Lanes by name in the order in which they are asked for.
class Lanes {
 public:
  void mark(const std::string& name, int slot, int64_t frame) {
    auto at = std::ranges::find(lanes_, name, &Lane::name);
    if (at == lanes_.end()) at = lanes_.insert(at, Lane{name, 0, frame, {}});
    ++at->frames;
    if (at->runs.empty() || at->runs.back().second < slot - 1)
      at->runs.emplace_back(slot, slot);
    else
      at->runs.back().second = slot;
  }
  std::vector<Lane> take() { return std::move(lanes_); }

 private:
  std::vector<Lane> lanes_;
};

/// Who is in the video: frames of each track, and whether two are ever there at once.
struct Cast {
  std::map<int, int64_t> frames;
  bool together = false;
};

Result<Cast> cast_of(const SampleSource& source) {
  Cast cast;
  VULTUS_CHECK(source([&](const FrameSample& sample) -> Result<void> {
    cast.together |= sample.faces.size() > 1;
    for (const FaceSample& face : sample.faces)
      ++cast.frames[face.id];
    return {};
  }));
  return cast;
}

std::vector<Collector> collectors_for(const Cast& cast, int told) {
  std::vector<std::pair<int64_t, int>> order;
  for (const auto& [id, frames] : cast.frames)
    order.emplace_back(-frames, id);
  std::ranges::sort(order);
  order.resize(std::min(order.size(), cast.together ? Curves::kMostFaces : 1));
  if (!cast.together && cast.frames.contains(told)) order.back().second = told;
  std::vector<Collector> collectors(std::max<size_t>(order.size(), 1));
  for (size_t i = 0; i < order.size(); ++i)
    collectors[i].curves.id = order[i].second;
  return collectors;
}

/// The track that this slot is of, where the first face in it is that of `id`.
void mark_run(int id, int slot, std::vector<TrackRun>& runs) {
  if (!runs.empty() && runs.back().last == slot) return;
  if (!runs.empty() && runs.back().id == id)
    runs.back().last = slot;
  else
    runs.push_back({id, slot, slot});
}

void mark_lanes(const FrameSample& sample, int slot, std::set<int>& seen, Lanes& lanes) {
  if (sample.damaged) lanes.mark("not decoded cleanly", slot, sample.frame);
  if (sample.faces.empty() && !sample.damaged) lanes.mark("no face", slot, sample.frame);
  measure::Flags flags;
  const bool first = seen.empty();
  bool fresh = false;
  for (const FaceSample& face : sample.faces) {
    // Identities are never used again: only the latest matter.
    if (seen.insert(face.id).second) {
      fresh = true;
      if (seen.size() > 64) seen.erase(seen.begin());
    }
    flags = flags | face.flags;
  }
  if (fresh && !first) lanes.mark("new face", slot, sample.frame);
  for (int i = 0; i < measure::kFlags; ++i)
    if (const auto flag = static_cast<measure::Flag>(i); flags.has(flag)) {
      std::string name(measure::name_of(flag));
      std::ranges::replace(name, '_', ' ');
      lanes.mark(name, slot, sample.frame);
    }
}

}  // namespace

Result<Curves> make_curves(const SampleSource& source, int64_t frames, int told) {
  VULTUS_TRY(const Cast cast, cast_of(source));
  Curves curves;
  curves.frames = frames;
  if (frames > Curves::kExactFrames)
    curves.frames_per_slot = (frames + Curves::kMostSlots - 1) / Curves::kMostSlots;
  std::vector<Collector> collectors = collectors_for(cast, told);
  curves.tracks = cast.frames.size();
  if (cast.together) curves.faces_left_out = cast.frames.size() - collectors.size();
  Lanes lanes;
  std::set<int> seen;
  int64_t visited = 0;
  const auto end_slot = [&] {
    for (Collector& collector : collectors)
      collector.end_slot(curves.points_per_slot());
  };
  VULTUS_CHECK(source([&](const FrameSample& sample) -> Result<void> {
    const double time = sample.seconds.value_or(static_cast<double>(sample.frame));
    if (visited % curves.frames_per_slot == 0) {
      if (visited > 0) end_slot();
      curves.starts.push_back(time);
    }
    curves.has_times = sample.seconds.has_value();
    curves.end = time;
    const int slot = static_cast<int>(curves.starts.size()) - 1;
    mark_lanes(sample, slot, seen, lanes);
    if (!cast.together && !sample.faces.empty()) mark_run(sample.faces[0].id, slot, curves.runs);
    for (const FaceSample& measured : sample.faces) {
      const FaceSample face = trusted(measured);
      for (Collector& collector : collectors)
        if (!cast.together || collector.curves.id == face.id) collector.push(sample, face);
    }
    ++visited;
    return {};
  }));
  if (visited > 0) end_slot();
  if (visited != frames)
    return Error{Errc::mismatch, fmt::format("the records of {} frames were read, {} were expected",
                                             visited, frames)};
  for (Collector& collector : collectors)
    curves.faces.push_back(std::move(collector.curves));
  curves.lanes = lanes.take();
  return curves;
}

std::string to_json(const Curves& curves) {
  using Json = nlohmann::ordered_json;
  const auto series = [](const Series& values) {
    Json list = Json::array();
    for (int value : values)
      list.push_back(value == kGap ? Json() : Json(value));
    return list;
  };
  Json times = Json::array(), names = Json::array(), faces = Json::array(), lanes = Json::array(),
       tracks = Json::array();
  for (double start : curves.starts)
    times.push_back(std::llround(1000 * start));
  for (const ActionUnit& unit : kActionUnits)
    names.push_back({unit.code, unit.name, unit.zone});
  for (const FaceCurves& face : curves.faces) {
    Json left = Json::array(), right = Json::array();
    for (size_t i = 0; i < kActionUnits.size(); ++i) {
      left.push_back(series(face.left[i]));
      right.push_back(series(face.right[i]));
    }
    faces.push_back({{"id", face.id ? Json(*face.id) : Json()}, {"left", left}, {"right", right}});
  }
  for (const TrackRun& run : curves.runs)
    tracks.push_back({run.id, run.first, run.last});
  for (const Lane& lane : curves.lanes)
    lanes.push_back({{"name", lane.name}, {"runs", lane.runs}});
  const Json object{{"frames", curves.frames},
                    {"perSlot", curves.frames_per_slot},
                    {"timed", curves.has_times},
                    {"starts", times},
                    {"end", std::llround(1000 * curves.end)},
                    {"units", names},
                    {"faces", faces},
                    {"tracks", tracks},
                    {"lanes", lanes}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vultus::report
