#include "models/measure/sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <sstream>
#include <utility>

#include "models/measure/sheet_rows.hpp"

namespace vultus::measure {

namespace {

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
        rows_.scheme = face.record.face.landmarks.scheme;
        rows_.any_halves |= face.record.left && face.record.right;
        if (in_baseline(face.frame)) rest_.push(face);
        note_clearest(face);
      }));
      rest_.finish();
    }
    if (rest_.has_shape())
      VULTUS_CHECK(for_each_face(
          [&](const SheetFace& face) { peaks_.push(face, in_baseline(face.frame)); }));
    rows_.baseline = sheet_.baseline.kind;
    rows_.pupil_distance_mm = options_.measure.pupil_distance_mm;
    rows_.any_face = sheet_.face_id >= 0;
    fill();
    return std::move(sheet_);
  }

 private:
  Result<void> for_each_face(const std::function<void(const SheetFace&)>& visit) {
    return for_each_measured(
        source_, options_.measure, survey_,
        [&](const FrameRecord& record, std::span<const FaceMeasures> faces) -> Result<void> {
          if (record.seconds) end_ = record.seconds;
          for (size_t i = 0; i < faces.size(); ++i) {
            const face::Landmarks& landmarks = record.faces[i].face.landmarks;
            if (record.faces[i].face.id != sheet_.face_id) continue;
            SheetFace face{record,   record.faces[i],
                           faces[i], values_of(record.faces[i], faces[i], options_.measure),
                           {},       {}};
            if (auto level = LevelFace::of(landmarks)) {
              face.shape = shape_of(landmarks, *level);
              face.distances = {level->eyes_px(), level->intercanthal_px()};
            }
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
    note_others();
  }

  void note_others() {
    if (survey_.size() < 2) return;
    const Track& own = survey_.at(sheet_.face_id);
    const auto beside = std::ranges::count_if(survey_, [&](const auto& other) {
      return other.first != sheet_.face_id && other.second.first <= own.last &&
             other.second.last >= own.first;
    });
    std::string note = fmt::format(
        "of {} face_ids, this is {}, which is in the most frames that no quality flag voids ({}); "
        "the others are not in it",
        survey_.size(), sheet_.face_id, sheet_.unflagged_frames);
    if (beside > 0)
      note += fmt::format("; {} of them {} in the picture while it was, so another person", beside,
                          beside == 1 ? "was" : "were");
    if (static_cast<size_t>(beside) + 1 < survey_.size())
      note += beside > 0 ? "; the rest may be it, lost and found again, or other people"
                         : ", though they may be the same person, lost and found again, or others";
    sheet_.notes.push_back(std::move(note));
  }

  Result<void> choose_baseline() {
    const BaselineChoice& choice = options_.baseline;
    sheet_.baseline = {choice.kind, choice.from, choice.to, true, 0};
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
          sheet_.unflagged_frames < kLeastBaselineFrames
              ? fmt::format("a quality flag voids {} of the face's {} frames: no baseline is "
                            "possible, the face must be filmed larger, straighter or sharper; "
                            "landmarks.csv says in its column quality which",
                            sheet_.frames - sheet_.unflagged_frames, sheet_.frames)
              : std::string("no second was found in which the face is still and no quality flag "
                            "stands: there is no baseline; name one with --baseline if the face "
                            "rests somewhere"));
    return {};
  }

  void note_clearest(const SheetFace& face) {
    const std::pair clear{!(face.measures.quality & kVoidsGeometry).any(), face.record.face.score};
    if (sheet_.clearest && clear <= clearest_) return;
    clearest_ = clear;
    sheet_.clearest = {face.frame.frame, face.frame.seconds};
  }

  bool in_baseline(const FrameRecord& record) const {
    if (sheet_.baseline.kind == Kind::none) return true;
    return record.seconds && *record.seconds >= sheet_.baseline.from &&
           *record.seconds <= sheet_.baseline.to;
  }

  void fill() {
    const bool none = sheet_.baseline.kind == Kind::none;
    const RowMaker maker(rows_);
    sheet_.baseline.frames = rest_.unflagged();
    sheet_.rest = none ? std::nullopt : peaks_.rest_moment();
    for (Region region : kRegions)
      if (const auto& found = peaks_.found(region)) {
        Peak& peak = sheet_.peaks[static_cast<size_t>(region)].emplace(found->peak);
        peak.needed = *peaks_.needed(region);
      }
    sheet_.mm_per_pixel = maker.mm_per_pixel(rest_.view());
    sheet_.rows = maker.rows();
    if (sheet_.face_id < 0) return;
    note_baseline();
    note_turns();
  }

  void note_baseline() {
    const Baseline& baseline = sheet_.baseline;
    if (baseline.kind == Kind::none && options_.baseline.kind == Kind::none)
      sheet_.notes.push_back(
          "no baseline was asked for: the rows peak are of the frames farthest from the median of "
          "all frames, which says of no movement, and are not valid");
    if (baseline.kind != Kind::range) return;
    const std::string range = fmt::format("from {} s to {} s", baseline.from, baseline.to);
    if (rest_.empty())
      sheet_.notes.push_back(fmt::format(
          "the face is in no frame {}{}: there is no baseline to compare with; name another with "
          "--baseline",
          range,
          end_ && *end_ < baseline.from ? fmt::format(", the video ends at {:.2f} s", *end_) : ""));
    else if (rest_.is_short())
      sheet_.notes.push_back(fmt::format(
          "the named baseline {} holds {} frames that no quality flag voids: too short to stand "
          "for rest, which takes at least {} such frames over {} s; name a longer one with "
          "--baseline",
          range, baseline.frames, kLeastBaselineFrames, kLeastBaselineShare * kBaselineSeconds));
    else
      sheet_.notes.push_back(fmt::format(
          "the face at rest was named with --baseline: {}, {} frames", range, baseline.frames));
  }

  void note_turns() {
    if (sheet_.baseline.kind == Kind::none || peaks_.turned() == 0) return;
    sheet_.notes.push_back(
        fmt::format("in {} of {} frames that no quality flag voids the head was turned more than 3 "
                    "degrees from "
                    "rest: what the face did in them is not in the sheet",
                    peaks_.turned(), peaks_.unflagged()));
  }

  const RecordSource& source_;
  const SheetOptions& options_;
  Survey survey_;
  std::optional<double> end_;  ///< seconds of the last frame
  RestPass rest_;
  PeakPass peaks_{rest_};
  RowSource rows_{rest_, peaks_};
  std::pair<bool, double> clearest_;  ///< without a flag; the detector's score
  Sheet sheet_;
};

}  // namespace

std::string_view name_of(SheetRow::State state) {
  using State = SheetRow::State;
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

bool has_value(const SheetRow& row) {
  return row.left || row.right || row.difference;
}

Outcome outcome_of(const Sheet& sheet) {
  Outcome outcome;
  outcome.rows = std::ranges::count_if(sheet.rows, has_value);
  std::map<std::string, int64_t> reasons;
  for (const SheetRow& row : sheet.rows) {
    if (outcome.rows > 0 && !has_value(row)) continue;
    outcome.valid += row.valid;
    std::istringstream words(row.valid ? "" : row.voided_by);
    for (std::string word; std::getline(words, word, '|');)
      ++reasons[word];
  }
  outcome.reasons.assign(reasons.begin(), reasons.end());
  std::ranges::stable_sort(outcome.reasons, std::greater{},
                           [](const auto& reason) { return reason.second; });
  return outcome;
}

Result<Sheet> compute_sheet(const RecordSource& source, const SheetOptions& options) {
  return SheetMaker(source, options).make();
}

}  // namespace vultus::measure
