#include "models/measure/sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/measure/states.hpp"

namespace vultus::measure {

namespace {

using State = SheetRow::State;
using Kind = BaselineChoice::Kind;

class SheetMaker {
 public:
  SheetMaker(const RecordSource& source, const SheetOptions& options)
      : source_(source), options_(options) {}

  Result<Sheet> make() {
    VULTUS_TRY(survey_, survey(source_, options_.measure));
    choose_face();
    if (sheet_.face_id >= 0) {
      VULTUS_CHECK(choose_baseline());
      VULTUS_CHECK(for_each_face([&](const SheetFace& face) {
        scheme_ = face.record.face.landmarks.scheme;
        halves_ |= face.record.left && face.record.right;
        if (in_baseline(face.frame)) rest_.push(face);
      }));
      rest_.finish();
    }
    if (rest_.has_shape())
      VULTUS_CHECK(for_each_face(
          [&](const SheetFace& face) { peaks_.push(face, in_baseline(face.frame)); }));
    fill();
    return std::move(sheet_);
  }

 private:
  Result<void> for_each_face(const std::function<void(const SheetFace&)>& visit) {
    return for_each_measured(
        source_, options_.measure, survey_,
        [&](const FrameRecord& record, std::span<const FaceMeasures> faces) -> Result<void> {
          for (size_t i = 0; i < faces.size(); ++i) {
            const face::Landmarks& landmarks = record.faces[i].face.landmarks;
            if (record.faces[i].face.id != sheet_.face_id) continue;
            SheetFace face{record,
                           record.faces[i],
                           faces[i],
                           values_of(record.faces[i], faces[i], options_.measure),
                           {}};
            if (auto level = LevelFace::of(landmarks)) face.shape = shape_of(landmarks, *level);
            visit(face);
          }
          return {};
        });
  }

  void choose_face() {
    for (const auto& [id, track] : survey_) {
      if (std::pair(track.unflagged, track.frames) <=
          std::pair(sheet_.unflagged_frames, sheet_.frames))
        continue;
      sheet_.face_id = id;
      sheet_.frames = track.frames;
      sheet_.unflagged_frames = track.unflagged;
    }
    if (survey_.size() > 1)
      sheet_.notes.push_back(fmt::format(
          "of {} face_ids, this is {}, which is in the most frames that no quality flag voids "
          "({}); the others are not in it, though they may be the same person, lost and found "
          "again",
          survey_.size(), sheet_.face_id, sheet_.unflagged_frames));
  }

  Result<void> choose_baseline() {
    const BaselineChoice& choice = options_.baseline;
    sheet_.baseline = {choice.kind, choice.from, choice.to};
    if (choice.kind != Kind::automatic) return {};
    for (bool strict : {true, false}) {
      VULTUS_TRY(auto found,
                 find_baseline(source_, options_.measure, survey_, sheet_.face_id, strict));
      if (!found) continue;
      sheet_.baseline = *found;
      sheet_.notes.push_back(fmt::format(
          "the face at rest was taken from {:.3f} s to {:.3f} s, its stillest second nearest to "
          "how it looks most of the time{}; look at it, and name another with --baseline if it is "
          "not at rest",
          found->from, found->to,
          strict ? "" : ", though with the mouth open or the eyes closed: no other was found"));
      return {};
    }
    sheet_.baseline.kind = Kind::none;
    if (sheet_.frames > 1)
      sheet_.notes.push_back(
          "no second was found in which the face is still and no quality flag stands: there is no "
          "baseline; name one with --baseline if the face rests somewhere");
    return {};
  }

  bool in_baseline(const FrameRecord& record) const {
    if (sheet_.baseline.kind == Kind::none) return true;
    return record.seconds && *record.seconds >= sheet_.baseline.from &&
           *record.seconds <= sheet_.baseline.to;
  }

  void fill() {
    const bool none = sheet_.baseline.kind == Kind::none;
    if (!none && sheet_.face_id >= 0 && rest_.empty())
      sheet_.notes.push_back(
          fmt::format("the face is in no frame from {} s to {} s: there is no baseline to compare "
                      "with; name another with --baseline",
                      sheet_.baseline.from, sheet_.baseline.to));
    sheet_.rest = none ? std::nullopt : peaks_.rest_moment();
    for (Region region : kRegions)
      if (const auto& found = peaks_.found(region))
        sheet_.peaks[static_cast<size_t>(region)] = found->peak;
    for (size_t slot = 0; slot < slots().size(); ++slot) {
      const Measure& measure = *slots()[slot].measure;
      if (measure.kind != Measure::Kind::change)
        sheet_.rows.push_back(steady_row(slot, none ? State::all : State::rest));
      sheet_.rows.push_back(peak_row(slot));
    }
  }

  /// Why a measure does not exist at all, or nothing.
  std::string_view impossible(const Measure& measure) const {
    if (sheet_.face_id < 0) return "no_face";
    if (measure.needs_98 && scheme_ != LandmarkScheme::wflw98) return "needs_98_points";
    if (measure.needs_halves && !halves_) return "needs_expression_network";
    return "";
  }

  static void set_values(SheetRow& row, const Column& column) {
    const bool absolute = row.measure->kind == Measure::Kind::absolute;
    row.difference = column.difference.median();
    row.difference_spread = column.difference.mad();
    row.frames = std::max(column.left.count(), column.right.count());
    const auto left = column.left.median(), right = column.right.median();
    set_percent(row, left, right);
    if (absolute) return;
    row.left = left;
    row.right = right;
    row.left_spread = column.left.mad();
    row.right_spread = column.right.mad();
    if (left && right) row.difference = *left - *right;
  }

  static void set_percent(SheetRow& row, const std::optional<double>& left,
                          const std::optional<double>& right) {
    const Quantity quantity = row.measure->quantity;
    if (!left || !right || quantity == Quantity::score || quantity == Quantity::angle) return;
    const double larger = std::max(std::abs(*left), std::abs(*right));
    if (larger > 1e-6) row.percent = 100 * std::abs(*left - *right) / larger;
  }

  static SheetRow row_of(size_t slot, State state) {
    SheetRow row;
    row.measure = slots()[slot].measure;
    row.unit = slots()[slot].unit;
    row.state = state;
    return row;
  }

  SheetRow steady_row(size_t slot, State state) const {
    SheetRow row = row_of(slot, state);
    const Column& column = rest_.column(slot);
    set_values(row, column);
    row.voided_by = impossible(*row.measure);
    if (row.voided_by.empty() && rest_.empty()) row.voided_by = "no_baseline_frames";
    if (row.voided_by.empty() && column.difference.count() == 0) {
      row.voided_by = (rest_.flags() & row.measure->voided_by).text();
      if (row.voided_by.empty()) row.voided_by = "not_measured";
    }
    row.valid = row.voided_by.empty();
    return row;
  }

  SheetRow peak_row(size_t slot) const {
    SheetRow row = row_of(slot, State::peak);
    const bool change = row.measure->kind == Measure::Kind::change;
    const auto& found = peaks_.found(row.measure->region);
    row.voided_by = impossible(*row.measure);
    if (!row.voided_by.empty()) return row;
    if (!found) {
      row.voided_by = rest_.has_shape() ? "no_steady_frames" : "no_baseline_frames";
      return row;
    }
    if (change && sheet_.baseline.kind == Kind::none) {
      row.voided_by = "no_baseline";
      return row;
    }
    set_values(row, found->columns[slot]);
    if (change) subtract(row, rest_.column(slot));
    const auto noise = peaks_.noise(row.measure->region);
    if (!row.difference)
      row.voided_by = "not_measured";
    else if (sheet_.baseline.kind != Kind::none && noise && found->peak.movement <= *noise)
      row.voided_by = "no_movement";
    row.valid = row.voided_by.empty();
    return row;
  }

  /// Independent errors add in squares.
  static void subtract(SheetRow& row, const Column& rest) {
    auto minus = [](std::optional<double>& value, std::optional<double>& spread,
                    const BoundedSample& sample) {
      const auto middle = sample.median(), mad = sample.mad();
      value = value && middle ? std::optional(*value - *middle) : std::nullopt;
      spread = spread && mad ? std::optional(std::hypot(*spread, *mad)) : std::nullopt;
    };
    minus(row.left, row.left_spread, rest.left);
    minus(row.right, row.right_spread, rest.right);
    minus(row.difference, row.difference_spread, rest.difference);
    row.difference = row.left && row.right ? std::optional(*row.left - *row.right) : std::nullopt;
    row.percent.reset();
    set_percent(row, row.left, row.right);
  }

  const RecordSource& source_;
  const SheetOptions& options_;
  Survey survey_;
  LandmarkScheme scheme_ = LandmarkScheme::wflw98;
  bool halves_ = false;
  RestPass rest_;
  PeakPass peaks_{rest_};
  Sheet sheet_;
};

}  // namespace

std::string_view name_of(SheetRow::State state) {
  switch (state) {
    case State::rest:
      return "rest";
    case State::all:
      return "all";
    case State::peak:
      return "peak";
  }
  return "";
}

Result<Sheet> compute_sheet(const RecordSource& source, const SheetOptions& options) {
  return SheetMaker(source, options).make();
}

}  // namespace vultus::measure
