#pragma once

// Rows of the sheet from what the passes gathered.
#include "models/measure/states.hpp"

namespace vultus::measure {

/// What rows are made of; all of it outlives the maker.
struct RowSource {
  const RestPass& rest;
  const PeakPass& peaks;
  BaselineChoice::Kind baseline = BaselineChoice::Kind::none;
  double pupil_distance_mm = kUsualPupilDistance;
  bool any_face = false, any_halves = false;
  LandmarkScheme scheme = LandmarkScheme::wflw98;
};

/// Makes rows: values that exist are in them also where they are not valid.
class RowMaker {
 public:
  explicit RowMaker(const RowSource& source) : source_(source) {}

  std::vector<SheetRow> rows() const;
  /// Of the frames of this view; nothing without any.
  std::optional<double> mm_per_pixel(const HeadView& view) const;

 private:
  SheetRow steady_row(size_t slot, SheetRow::State state) const;
  SheetRow peak_row(size_t slot) const;
  std::string impossible(const Measure& measure) const;
  std::string no_peak() const;
  void set_view(SheetRow& row, const HeadView& view) const;
  void set_values(SheetRow& row, const Column& column, double scale) const;
  void subtract(SheetRow& row, const Column& rest, double scale) const;
  void set_percent(SheetRow& row) const;
  void judge_view(SheetRow& row, const HeadView& view) const;
  double floor_of(const SheetRow& row) const;

  const RowSource& source_;
};

}  // namespace vultus::measure
