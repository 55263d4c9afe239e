#include "models/measure/states.hpp"

#include <algorithm>
#include <cmath>

namespace vultus::measure {

const std::vector<Slot>& slots() {
  static const std::vector<Slot> all = [] {
    std::vector<Slot> list;
    for (const Measure& measure : all_measures())
      for (std::string_view unit : units_of(measure.quantity))
        list.push_back({&measure, unit});
    return list;
  }();
  return all;
}

void Column::push(const SideValues& value, Measure::Kind kind) {
  if (value.left) left.push(*value.left);
  if (value.right) right.push(*value.right);
  if (!value.left || !value.right) return;
  const double d = *value.left - *value.right;
  difference.push(kind == Measure::Kind::absolute ? std::abs(d) : d);
}

void RestPass::push(const SheetFace& face) {
  ++frames_;
  flags_ = flags_ | face.measures.quality;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Measure& measure = *slots()[i].measure;
    if (!(face.measures.quality & measure.voided_by).any())
      columns_[i].push(face.values[i], measure.kind);
  }
  if ((face.measures.quality & kVoidsGeometry).any() || face.shape.empty()) return;
  shapes_.push(face.shape);
  if (!face.measures.pose) return;
  yaws_.push(face.measures.pose->yaw);
  pitches_.push(face.measures.pose->pitch);
}

void RestPass::finish() {
  shape_ = shapes_.median();
  yaw_ = yaws_.median();
  pitch_ = pitches_.median();
}

bool RestPass::turned(const HeadPose& pose) const {
  return (yaw_ && std::abs(pose.yaw - *yaw_) > kTurnLimit) ||
         (pitch_ && std::abs(pose.pitch - *pitch_) > kTurnLimit);
}

void PeakPass::push(const SheetFace& face, bool in_baseline) {
  const HeadPose* pose = face.measures.pose ? &*face.measures.pose : nullptr;
  const int64_t number = face.frame.frame;
  if (!frames_.empty() && frames_.back().moment.frame + 1 != number) frames_.clear();
  if (face.shape.empty() || (face.measures.quality & kVoidsGeometry).any() ||
      (pose && rest_.turned(*pose))) {
    frames_.clear();
    return;
  }
  Frame frame{{number, face.frame.seconds}, {}, face.values};
  for (Region region : kRegions)
    frame.movement[index(region)] = shape_distance(
        face.shape, rest_.shape(), points_of(face.record.face.landmarks.scheme, region));
  if (in_baseline) {
    for (size_t i = 0; i < kRegions.size(); ++i)
      noise_[i].push(frame.movement[i]);
    const double most = *std::max_element(frame.movement.begin(), frame.movement.end());
    if (most < least_) {
      least_ = most;
      rest_moment_ = frame.moment;
    }
  }
  frames_.push_back(std::move(frame));
  if (frames_.size() > kPeakFrames) frames_.pop_front();
  if (frames_.size() == kPeakFrames)
    for (size_t i = 0; i < kRegions.size(); ++i)
      consider(i);
}

void PeakPass::consider(size_t region) {
  std::array<double, kPeakFrames> movements;
  for (size_t i = 0; i < kPeakFrames; ++i)
    movements[i] = frames_[i].movement[region];
  std::nth_element(movements.begin(), movements.begin() + kPeakFrames / 2, movements.end());
  const double movement = movements[kPeakFrames / 2];
  std::optional<Found>& best = found_[region];
  if (best && !(movement > best->peak.movement)) return;
  best = Found{{frames_[kPeakFrames / 2].moment, movement}, {}};
  for (size_t slot = 0; slot < slots().size(); ++slot) {
    Column column{BoundedSample(kPeakFrames), BoundedSample(kPeakFrames),
                  BoundedSample(kPeakFrames)};
    for (const Frame& frame : frames_)
      column.push(frame.values[slot], slots()[slot].measure->kind);
    best->columns.push_back(std::move(column));
  }
}

std::optional<double> PeakPass::noise(Region region) const {
  const BoundedSample& sample = noise_[index(region)];
  if (sample.count() == 0) return {};
  return *sample.median() + kNoise * 1.4826 * *sample.mad();
}

}  // namespace vultus::measure
