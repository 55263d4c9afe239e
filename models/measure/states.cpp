#include "models/measure/states.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vultus::measure {

namespace {

constexpr double kRadians = std::numbers::pi / 180;

/// As Column says.
SideValues comparable_value(const SideValues& value, const Slot& slot, const Distances& distances) {
  if (slot.measure->kind != Measure::Kind::change || slot.measure->quantity != Quantity::length)
    return value;
  const double scale = slot.unit == "mm" ? distances.eyes_px : distances.intercanthal_px;
  auto scaled = [&](const std::optional<double>& v) {
    return v ? std::optional(*v * scale) : std::nullopt;
  };
  return {scaled(value.left), scaled(value.right)};
}

}  // namespace

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

void HeadView::push(const std::optional<HeadPose>& pose, const Distances& distances) {
  eyes_.push(distances.eyes_px);
  canthi_.push(distances.intercanthal_px);
  if (!pose) return;
  yaw_.push(pose->yaw);
  pitch_.push(pose->pitch);
  roll_.push(pose->roll);
  absolute_yaw_.push(std::abs(pose->yaw));
  absolute_pitch_.push(std::abs(pose->pitch));
}

double HeadView::distance_px(const Slot& slot) const {
  if (slot.measure->quantity != Quantity::length) return 1;
  return (slot.unit == "mm" ? eyes_ : canthi_).median().value_or(1);
}

std::string HeadView::beyond(const TurnLimit& limit) const {
  auto exceeds = [](const BoundedSample& angles, double limit_deg) {
    return angles.median().value_or(0) > limit_deg * kRadians;
  };
  Flags flags;
  if (exceeds(absolute_yaw_, limit.yaw_deg)) flags.add(Flag::yaw);
  if (exceeds(absolute_pitch_, limit.pitch_deg)) flags.add(Flag::pitch);
  return flags.text();
}

void RestPass::push(const SheetFace& face) {
  ++frames_;
  const Flags quality = face.measures.quality;
  flags_ = flags_ | quality;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Measure& measure = *slots()[i].measure;
    if (!(quality & measure.voided_by).any())
      columns_[i].push(comparable_value(face.values[i], slots()[i], face.distances), measure.kind);
  }
  if (face.shape.empty()) return;
  if (!(quality & kVoidsExpression).any()) view_.push(face.measures.pose, face.distances);
  if ((quality & kVoidsGeometry).any()) return;
  ++unflagged_;
  shapes_.push(face.shape);
  if (!face.frame.seconds) return;
  if (!first_) first_ = face.frame.seconds;
  last_ = face.frame.seconds;
}

void RestPass::finish() {
  shape_ = shapes_.median();
  yaw_ = view_.yaw();
  pitch_ = view_.pitch();
  eyes_px_ = view_.eyes_px();
}

bool RestPass::is_short() const {
  constexpr double kRounding = 1e-6;
  return unflagged_ < kLeastBaselineFrames || !first_ ||
         *last_ - *first_ < kLeastBaselineShare * kBaselineSeconds - kRounding;
}

bool RestPass::turned(const HeadPose& pose) const {
  return (yaw_ && std::abs(pose.yaw - *yaw_) > kTurnLimit) ||
         (pitch_ && std::abs(pose.pitch - *pitch_) > kTurnLimit);
}

bool RestPass::rescaled(double eyes_px) const {
  return eyes_px_ && std::abs(eyes_px / *eyes_px_ - 1) > kScaleLimit;
}

bool PeakPass::comparable(const SheetFace& face) {
  if (face.shape.empty() || (face.measures.quality & kVoidsGeometry).any()) return false;
  ++unflagged_;
  const bool turned = face.measures.pose && rest_.turned(*face.measures.pose);
  turned_ += turned;
  return !turned;
}

PeakPass::Movement PeakPass::movement_of(const SheetFace& face) const {
  const LandmarkScheme scheme = face.record.face.landmarks.scheme;
  Movement movement;
  for (Region region : kRegions)
    movement[index(region)] = shape_distance(face.shape, rest_.shape(), points_of(scheme, region));
  movement[kNose] = shape_distance(face.shape, rest_.shape(), nose_of(scheme));
  return movement;
}

void PeakPass::push(const SheetFace& face, bool in_baseline) {
  const int64_t number = face.frame.frame;
  if (!frames_.empty() && frames_.back().moment.frame + 1 != number) frames_.clear();
  if (!comparable(face)) {
    frames_.clear();
    return;
  }
  Frame frame{
      {number, face.frame.seconds}, movement_of(face), {}, face.measures.pose, face.distances};
  for (size_t i = 0; i < slots().size(); ++i)
    frame.values.push_back(comparable_value(face.values[i], slots()[i], face.distances));
  if (in_baseline) learn_rest(frame);
  frames_.push_back(std::move(frame));
  if (frames_.size() > kPeakFrames) frames_.pop_front();
  if (frames_.size() == kPeakFrames)
    for (size_t i = 0; i < kRegions.size(); ++i)
      consider(i);
}

void PeakPass::learn_rest(const Frame& frame) {
  for (size_t i = 0; i < kRegions.size(); ++i)
    noise_[i].push(frame.movement[i]);
  const double most = *std::max_element(frame.movement.begin(), frame.movement.begin() + kNose);
  if (!(most < least_)) return;
  least_ = most;
  rest_moment_ = frame.moment;
}

double PeakPass::middle(size_t part) const {
  std::array<double, kPeakFrames> movements;
  for (size_t i = 0; i < kPeakFrames; ++i)
    movements[i] = frames_[i].movement[part];
  std::nth_element(movements.begin(), movements.begin() + kPeakFrames / 2, movements.end());
  return movements[kPeakFrames / 2];
}

void PeakPass::consider(size_t region) {
  const double movement = middle(region);
  std::optional<Found>& best = found_[region];
  if (best && !(movement > best->peak.movement)) return;
  best = Found{{frames_[kPeakFrames / 2].moment, movement, 0}, middle(kNose), {}, {}};
  for (const Frame& frame : frames_)
    best->view.push(frame.pose, frame.distances);
  for (size_t slot = 0; slot < slots().size(); ++slot) {
    Column column{BoundedSample(kPeakFrames), BoundedSample(kPeakFrames),
                  BoundedSample(kPeakFrames)};
    for (const Frame& frame : frames_)
      column.push(frame.values[slot], slots()[slot].measure->kind);
    best->columns.push_back(std::move(column));
  }
}

std::optional<double> PeakPass::needed(Region region) const {
  const auto& found = found_[index(region)];
  if (!found) return {};
  const BoundedSample& sample = noise_[index(region)];
  double noise = 0;
  if (sample.count() > 0) noise = *sample.median() + kNoise * 1.4826 * *sample.mad();
  const double pixel = 1 / found->view.eyes_px().value_or(1);
  return std::max({noise, kFloor[index(region)], pixel, found->nose});
}

}  // namespace vultus::measure
