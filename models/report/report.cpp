#include "models/report/report.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "models/file/file.hpp"
#include "models/report/assets.hpp"
#include "models/report/sections.hpp"
#include "report/page.hpp"
#include "report/text.hpp"

namespace vultus::report {

namespace {

std::string headline(const Summary& summary, const Curves& curves, const measure::Sheet& sheet,
                     const measure::Outcome& found) {
  const int64_t with_face = summary.frames - summary.frames_without_face;
  if (with_face == 0) return "No face was found: nothing was measured.";
  const std::string faces =
      curves.faces.size() > 1 ? "Several faces were measured" : "A face was measured";
  // Where nothing is valid a box says so.
  const std::string outcome = found.valid > 0 ? fmt::format(" {}", outcome_sentence(found)) : "";
  if (summary.frames == 1) return faces + " in this picture." + outcome;
  const std::string where =
      with_face == summary.frames
          ? fmt::format("{} in every one of {} frames.", faces,
                        count(static_cast<double>(summary.frames)))
          : fmt::format("{} in {} of {} frames.", faces, count(static_cast<double>(with_face)),
                        count(static_cast<double>(summary.frames)));
  if (curves.tracks < 2) return where + outcome;
  return where + outcome +
         fmt::format(
             " {} tracks, perhaps several people: the asymmetry sheet is of one of "
             "them, in {} frames.",
             curves.tracks, count(static_cast<double>(sheet.frames)));
}

std::vector<Page::Fact> facts(const ReportInput& input, const Curves& curves) {
  const Summary& summary = input.summary;
  const Origin& origin = input.origin;
  std::vector<Page::Fact> facts;
  if (curves.has_times && summary.frames > 1)
    facts.push_back({"Length", clock(curves.end - curves.starts.front())});
  facts.push_back({"Frames", count(static_cast<double>(summary.frames))});
  if (summary.video_fps > 0) facts.push_back({"Frames a second", number(summary.video_fps)});
  if (origin.width > 0)
    facts.push_back({"Picture", fmt::format("{} \u00d7 {}", origin.width, origin.height)});
  facts.push_back(
      {"With a face",
       fmt::format("{:.1f} %",
                   100 * static_cast<double>(summary.frames - summary.frames_without_face) /
                       static_cast<double>(std::max<int64_t>(summary.frames, 1)))});
  facts.push_back({"Input", input.measure.sides.mirrored_input ? "mirrored (a selfie)"
                                                               : "not mirrored (assumed)"});
  facts.push_back({"Complete", summary.complete ? "yes" : "no, see what is missing"});
  return facts;
}

std::string box(std::string_view title, const std::vector<std::string>& sentences) {
  return fmt::format("<div class=\"lost\"><b>{}</b>\n{}</div>\n", title, list(sentences));
}

/// What nobody may overlook.
std::string notice(const Summary& summary, const measure::Outcome& found) {
  std::string out;
  if (!summary.lost.empty()) out += box("Not everything could be measured", summary.lost);
  const int64_t with_face = summary.frames - summary.frames_without_face;
  if (with_face > 0 && 2 * with_face < summary.frames)
    out +=
        box("In most frames no face was found",
            {fmt::format("A face was measured in {} of {}: look at the pictures whether it is the "
                         "person at all.",
                         count(static_cast<double>(with_face)),
                         count(static_cast<double>(summary.frames), "frame"))});
  if (with_face > 0 && found.valid == 0)
    out += box("No number of the asymmetry sheet is valid", {outcome_sentence(found)});
  return out +
         "<p class=\"notice\">Not a medical device: measurements for study, never a grade or a "
         "diagnosis. The pictures and numbers are health data.</p>\n";
}

}  // namespace

std::string report_page(const ReportInput& input, const Curves& curves,
                        const Thumbnails& thumbnails) {
  const Summary& summary = input.summary;
  const measure::Outcome found = outcome_of(input.sheet);
  Page page{"report",
            std::filesystem::path(summary.input).filename().string(),
            headline(summary, curves, input.sheet, found),
            facts(input, curves),
            {}};
  page.notice = notice(summary, found);
  const bool video = summary.frames > 1;
  page.add("moments", video ? "Rest and peak" : "The face",
           moments_section(moments_of(input.sheet, summary.frames), thumbnails));
  const std::string shown = curves_section(summary, curves, thumbnails, input.sheet.face_id);
  page.add("curves", video ? "Action units over time" : "Action units", shown);
  page.add("sheet", "Asymmetry", sheet_section(input.sheet, input.measure.pupil_distance_mm));
  page.add("quality", "Quality", quality_section(summary, curves));
  page.add("notes", "Warnings", list(summary.warnings));
  page.add("times", "Where the time went", times_section(summary));
  page.add("origin", "How this was made", origin_section(summary, input.origin));
  page.footer = footer_text();
  page.pictures = true;
  page.styles = {kCurvesStyle};
  if (shown.find("id=\"stage\"") != std::string::npos) {
    page.styles.insert(page.styles.begin(), kChartStyle);
    page.scripts = {kSharp, kChart, kCurves};
    page.data = to_json(curves);
  }
  return page.html();
}

Result<void> write_report(const std::string& path, const ReportInput& input) {
  VULTUS_TRY(measure::Survey survey, measure::survey(input.records, input.measure));
  VULTUS_TRY(const Curves curves,
             make_curves(samples_of(input.records, input.measure, std::move(survey)),
                         input.summary.frames, input.sheet.face_id));
  ThumbnailPlan plan;
  for (const NamedMoment& moment : moments_of(input.sheet, input.summary.frames))
    plan.moments.push_back(moment.frame);
  plan.frames = input.summary.frames;
  plan.sides = input.measure.sides;
  plan.face_id = input.sheet.face_id;
  VULTUS_TRY(const Thumbnails thumbnails,
             take_thumbnails(input.summary.input, input.records, plan));
  return write_file(path, report_page(input, curves, thumbnails));
}

}  // namespace vultus::report
