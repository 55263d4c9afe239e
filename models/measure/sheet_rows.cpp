#include "models/measure/sheet_rows.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace vultus::measure {

namespace {

using State = SheetRow::State;
using Kind = BaselineChoice::Kind;

SheetRow row_of(size_t slot, State state) {
  SheetRow row;
  row.measure = slots()[slot].measure;
  row.unit = slots()[slot].unit;
  row.state = state;
  return row;
}

void add_reason(SheetRow& row, std::string_view reason) {
  if (reason.empty()) return;
  if (!row.voided_by.empty()) row.voided_by += '|';
  row.voided_by += reason;
}

std::optional<double> times(const std::optional<double>& value, double factor) {
  return value ? std::optional(*value * factor) : std::nullopt;
}

std::optional<double> minus(const std::optional<double>& a, const std::optional<double>& b) {
  return a && b ? std::optional(*a - *b) : std::nullopt;
}

/// One frame has no scatter.
std::optional<double> scatter(const BoundedSample& sample, double factor) {
  return sample.count() > 1 ? times(sample.mad(), factor) : std::nullopt;
}

}  // namespace

std::vector<SheetRow> RowMaker::rows() const {
  const State steady = source_.baseline == Kind::none ? State::all : State::rest;
  std::vector<SheetRow> rows;
  for (size_t slot = 0; slot < slots().size(); ++slot) {
    if (slots()[slot].measure->kind != Measure::Kind::change)
      rows.push_back(steady_row(slot, steady));
    rows.push_back(peak_row(slot));
  }
  for (SheetRow& row : rows)
    row.valid = row.voided_by.empty();
  return rows;
}

std::optional<double> RowMaker::mm_per_pixel(const HeadView& view) const {
  const auto eyes = view.eyes_px();
  return eyes ? std::optional(source_.pupil_distance_mm / *eyes) : std::nullopt;
}

/// Why a measure does not exist at all, or nothing.
std::string RowMaker::impossible(const Measure& measure) const {
  if (!source_.any_face) return "no_face";
  if (measure.needs_98 && source_.scheme != LandmarkScheme::wflw98) return "needs_98_points";
  if (measure.needs_halves && !source_.any_halves) return "needs_expression_network";
  return "";
}

void RowMaker::set_view(SheetRow& row, const HeadView& view) const {
  constexpr double kDegrees = 180 / std::numbers::pi;
  row.yaw_deg = times(view.yaw(), kDegrees);
  row.pitch_deg = times(view.pitch(), kDegrees);
  row.roll_deg = times(view.roll(), kDegrees);
  row.mm_per_pixel = mm_per_pixel(view);
}

/// Reasons that lie in how the head is turned and how large it is.
void RowMaker::judge_view(SheetRow& row, const HeadView& view) const {
  add_reason(row, view.has_pose() ? view.beyond(row.measure->limit) : "no_pose");
  const Quantity quantity = row.measure->quantity;
  if (quantity != Quantity::length && quantity != Quantity::area) return;
  const auto pixel = mm_per_pixel(view);
  if (pixel && *pixel > kMostMmPerPixel) add_reason(row, "coarse_pixels");
}

void RowMaker::set_values(SheetRow& row, const Column& column, double scale) const {
  row.frames = std::max(column.left.count(), column.right.count());
  row.left = times(column.left.median(), scale);
  row.right = times(column.right.median(), scale);
  row.left_spread = scatter(column.left, scale);
  row.right_spread = scatter(column.right, scale);
  row.difference_spread = scatter(column.difference, scale);
  row.difference = minus(row.left, row.right);
  set_percent(row);
  if (row.measure->kind != Measure::Kind::absolute) return;
  row.difference = times(column.difference.median(), scale);
  row.left = row.right = row.left_spread = row.right_spread = std::nullopt;
}

/// Below it a length or an area is not told from none: the floor of the region or one pixel, and
/// of an area that along a quarter of the distance of the eyes.
double RowMaker::floor_of(const SheetRow& row) const {
  const Quantity quantity = row.measure->quantity;
  if (quantity != Quantity::length && quantity != Quantity::area) return 0;
  const HeadView& view = source_.rest.view();
  const auto eyes = view.eyes_px(), canthi = view.intercanthal_px();
  if (!eyes || !canthi) return 0;
  const double apart =  // the eyes, in the row's unit
      row.unit.starts_with("mm") ? source_.pupil_distance_mm : *eyes / *canthi;
  const double floor =
      std::max(kFloor[static_cast<size_t>(row.measure->region)], 1 / *eyes) * apart;
  return quantity == Quantity::area ? floor * apart / 4 : floor;
}

void RowMaker::set_percent(SheetRow& row) const {
  row.percent.reset();
  const Quantity quantity = row.measure->quantity;
  if (!row.left || !row.right || quantity == Quantity::score || quantity == Quantity::angle) return;
  const double larger = std::max(std::abs(*row.left), std::abs(*row.right));
  if (*row.left * *row.right < 0 || !(larger > std::max(floor_of(row), 1e-6))) return;
  row.percent = 100 * std::abs(*row.left - *row.right) / larger;
}

SheetRow RowMaker::steady_row(size_t slot, State state) const {
  SheetRow row = row_of(slot, state);
  const RestPass& rest = source_.rest;
  const Column& column = rest.column(slot);
  set_values(row, column, 1);
  row.voided_by = impossible(*row.measure);
  if (row.voided_by.empty() && rest.empty()) row.voided_by = "no_baseline_frames";
  if (row.voided_by.empty() && column.difference.count() == 0) {
    row.voided_by = (rest.flags() & row.measure->voided_by).text();
    if (row.voided_by.empty()) row.voided_by = "not_measured";
  }
  if (!row.voided_by.empty()) return row;
  set_view(row, rest.view());
  if (source_.baseline != Kind::none && rest.is_short()) add_reason(row, "short_baseline");
  judge_view(row, rest.view());
  return row;
}

/// Why no frame could be a peak.
std::string RowMaker::no_peak() const {
  if (!source_.rest.has_shape()) return "no_baseline_frames";
  return source_.peaks.turned() > 0 ? "turned" : "no_steady_frames";
}

SheetRow RowMaker::peak_row(size_t slot) const {
  SheetRow row = row_of(slot, State::peak);
  const bool change = row.measure->kind == Measure::Kind::change;
  const auto& found = source_.peaks.found(row.measure->region);
  row.voided_by = impossible(*row.measure);
  if (row.voided_by.empty() && !found) row.voided_by = no_peak();
  const bool no_baseline = source_.baseline == Kind::none;
  if (row.voided_by.empty() && change && no_baseline) row.voided_by = "no_baseline";
  if (!row.voided_by.empty()) return row;
  const double scale = change ? 1 / source_.rest.view().distance_px(slots()[slot]) : 1;
  set_values(row, found->columns[slot], scale);
  if (change) subtract(row, source_.rest.column(slot), scale);
  set_view(row, found->view);
  if (!row.difference) {
    row.voided_by = "not_measured";
    return row;
  }
  if (no_baseline)
    add_reason(row, "no_baseline");
  else if (source_.rest.is_short())
    add_reason(row, "short_baseline");
  else if (!(found->peak.movement > *source_.peaks.needed(row.measure->region)))
    add_reason(row, "no_movement");
  const auto eyes = found->view.eyes_px();
  if (change && row.measure->quantity == Quantity::length && eyes && source_.rest.rescaled(*eyes))
    add_reason(row, "rescaled");
  if (change && !row.voided_by.empty()) row.percent.reset();
  judge_view(row, found->view);
  return row;
}

/// Independent errors add in squares.
void RowMaker::subtract(SheetRow& row, const Column& rest, double scale) const {
  auto from = [&](std::optional<double>& value, std::optional<double>& spread,
                  const BoundedSample& sample) {
    value = minus(value, times(sample.median(), scale));
    const auto mad = scatter(sample, scale);
    spread = spread && mad ? std::optional(std::hypot(*spread, *mad)) : std::nullopt;
  };
  from(row.left, row.left_spread, rest.left);
  from(row.right, row.right_spread, rest.right);
  from(row.difference, row.difference_spread, rest.difference);
  row.difference = minus(row.left, row.right);
  set_percent(row);
}

}  // namespace vultus::measure
