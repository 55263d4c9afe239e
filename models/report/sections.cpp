#include "models/report/sections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/report/assets.hpp"
#include "models/report/performance.hpp"
#include "report/page.hpp"
#include "report/text.hpp"

namespace vultus::report {

namespace {

using Kind = Table::Kind;

std::string escaped_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += escaped(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string film(const Thumbnails& thumbnails) {
  if (thumbnails.strip.size() < 2) return {};
  std::string out = "<ol class=\"film\" aria-label=\"The face over time\">\n";
  for (const Thumbnail& small : thumbnails.strip)
    out += fmt::format(
        "<li><img src=\"{}\" alt=\"The face at {}\" data-seconds=\"{:.3f}\" "
        "width=\"58\" height=\"58\">{}</li>\n",
        small.whole, escaped(moment(small.frame, small.seconds)), small.seconds.value_or(0),
        escaped(clock(small.seconds.value_or(0))));
  return out + "</ol>\n";
}

std::string code_of(size_t unit) {
  return std::string(kActionUnits[unit].code);
}

std::string name_of_unit(size_t unit) {
  return std::string(kActionUnits[unit].name);
}

std::optional<double> mean_of(const Extent& extent) {
  return extent.frames > 0 ? std::optional(extent.mean()) : std::nullopt;
}

bool measured(const FaceCurves& face, size_t unit) {
  return face.left_extent[unit].frames + face.right_extent[unit].frames > 0;
}

bool has_curves(const Curves& curves) {
  const auto drawn = [](const Series& series) {
    return std::ranges::any_of(series, [](int value) { return value != kGap; });
  };
  return std::ranges::any_of(curves.faces, [&](const FaceCurves& face) {
    return std::ranges::any_of(face.left, drawn) || std::ranges::any_of(face.right, drawn);
  });
}

/// Of which track the table is, where one follows the other.
std::string table_of_track(const Summary& summary, const Curves& curves, int sheet_face) {
  if (curves.runs.empty() || curves.tracks < 2) return {};
  const FaceCurves& face = curves.faces[0];
  const auto with_face = static_cast<double>(summary.frames - summary.frames_without_face);
  const auto frames = static_cast<double>(face.frames);
  return paragraph(fmt::format(
      "{} tracks follow each other, perhaps several people: the curves break where one ends, and a "
      "row below them says which is where. The table is of track {} alone, {}, in {} of {} frames "
      "with a face ({:.0f} %); the others have {:.0f} %.",
      curves.tracks, face.id.value_or(0),
      face.id == sheet_face ? "which the asymmetry sheet is of" : "the longest", count(frames),
      count(with_face), 100 * frames / with_face, 100 * (with_face - frames) / with_face));
}

constexpr std::string_view kScores =
    "presence scores 0 to 1. The faces made of one half alone were measured, so a side's score is "
    "that of a face which is like this side on both.";

std::string picture_table(const FaceCurves& face) {
  Table table(fmt::format("Action units, {}", kScores), {{"Unit"},
                                                         {"Name"},
                                                         {"Left", Kind::number},
                                                         {"Right", Kind::number},
                                                         {"Difference", Kind::number}});
  for (size_t i = 0; i < kActionUnits.size(); ++i) {
    if (!measured(face, i)) continue;
    const auto left = mean_of(face.left_extent[i]), right = mean_of(face.right_extent[i]);
    table.row({{code_of(i), 0, "keep"},
               {name_of_unit(i), 0, "keep"},
               number_cell(left, 3),
               number_cell(right, 3),
               number_cell(left && right ? std::optional(*left - *right) : std::nullopt, 3)});
  }
  return table.html();
}

std::string action_unit_table(const FaceCurves& face, bool one_of_several) {
  const std::string track =
      one_of_several ? fmt::format(" of track {}", face.id.value_or(0)) : std::string();
  Table table(fmt::format("Action units over all measured frames{}, {}", track, kScores),
              {{"Unit"},
               {"Name"},
               {"Left, mean", Kind::number},
               {"Right, mean", Kind::number},
               {"Left, largest", Kind::number},
               {"at"},
               {"Right, largest", Kind::number},
               {"at"},
               {"Frames", Kind::number}});
  const auto largest = [](const Extent& extent) {
    return extent.frames > 0 ? std::optional<double>(extent.largest) : std::nullopt;
  };
  const auto when = [](const Extent& extent) -> Table::Cell {
    if (extent.frames == 0) return {"\u2013"};
    // With hours the time and the frame stand on two lines, or columns are cut off.
    return {moment(extent.largest_frame, extent.largest_seconds), 0,
            extent.largest_seconds.value_or(0) < 3600 ? "keep" : "words"};
  };
  for (size_t i = 0; i < kActionUnits.size(); ++i) {
    if (!measured(face, i)) continue;
    const Extent &left = face.left_extent[i], &right = face.right_extent[i];
    const auto frames = static_cast<double>(std::max(left.frames, right.frames));
    table.row({{code_of(i), 0, "keep"},
               {name_of_unit(i), 0, "keep"},
               number_cell(mean_of(left), 3),
               number_cell(mean_of(right), 3),
               number_cell(largest(left), 3),
               when(left),
               number_cell(largest(right), 3),
               when(right),
               {count(frames), frames}});
  }
  return table.html();
}

}  // namespace

Table::Cell number_cell(const std::optional<double>& value, int digits, std::string css) {
  if (!value || !std::isfinite(*value)) return {"\u2013", -1e300, std::move(css)};
  return {decimal(*value, digits), *value, std::move(css)};
}

std::string clock(double seconds) {
  const auto hundredths = std::llround(std::max(seconds, 0.0) * 100);
  const int64_t whole = hundredths / 100, hours = whole / 3600, minutes = whole / 60 % 60;
  const std::string rest = fmt::format("{:02}.{:02}", whole % 60, hundredths % 100);
  return hours > 0 ? fmt::format("{}:{:02}:{}", hours, minutes, rest)
                   : fmt::format("{}:{}", minutes, rest);
}

std::string moment(int64_t frame, const std::optional<double>& seconds) {
  return seconds ? fmt::format("{}, frame {}", clock(*seconds), frame)
                 : fmt::format("frame {}", frame);
}

std::string curves_section(const Summary& summary, const Curves& curves,
                           const Thumbnails& thumbnails, int sheet_face) {
  if (curves.faces.empty() || curves.faces[0].frames == 0) return {};
  std::string out;
  const FaceCurves& face = curves.faces[0];
  if (!has_curves(curves))
    return paragraph(
        "There are no curves: the pack has no network for action units, or a quality flag voids "
        "every frame, and the eyes were not measured.");
  if (summary.frames > 1) {
    out +=
        "<p><b class=\"left-key\">Left</b> and <b class=\"right-key\">right</b> are the subject's "
        "own sides; a gap means not measured, or a head so turned, tilted or cut off that "
        "it says nothing.</p>\n";
    if (curves.frames_per_slot > 1)
      out += paragraph(fmt::format(
          "The video is long: each place of a curve stands for {} frames and shows the least and "
          "the largest value in them{}. Every frame is in left.csv and right.csv.",
          curves.frames_per_slot,
          curves.runs.size() > 1 ? ", of the first track where there are several" : ""));
    out += table_of_track(summary, curves, sheet_face);
    if (curves.faces.size() > 1 || curves.faces_left_out > 0)
      out += paragraph(fmt::format(
          "Several faces are in the picture at once: curves of the {} that are there longest{}; "
          "the "
          "tables have all. The table below is of face {}.",
          count(static_cast<double>(curves.faces.size()), "face"),
          curves.faces_left_out > 0
              ? fmt::format(", {} left out", count(static_cast<double>(curves.faces_left_out)))
              : "",
          face.id.value_or(0)));
    out +=
        "<noscript><p>The curves need JavaScript. The same numbers are in left.csv and "
        "right.csv.</p></noscript>\n" +
        film(thumbnails) +
        "<div id=\"stage\" role=\"group\" aria-label=\"Curves over time. Arrow keys move through "
        "the frames, plus and minus zoom, Enter keeps a time, Escape goes back.\" hidden></div>\n";
  }
  return out +
         (summary.frames > 1 ? action_unit_table(face, curves.tracks > 1) : picture_table(face));
}

std::string quality_section(const Summary& summary, const Curves& curves) {
  const std::string unseen = paragraph(
      "Not detected: a hand, a mask, hair or glasses before the face, and slight blur. Points are "
      "guessed there, no flag stands and rows stay valid: look at the pictures and the overlay.");
  if (curves.lanes.empty())
    return paragraph(
               "Every frame has a face, and none carries a flag. Measures have limits of their "
               "own, narrower than a flag's: the sheet says which of them are valid.") +
           unseen;
  Table table(
      "Frames that carry a flag. Measures that a flag makes doubtful are not counted as valid "
      "in the sheet.",
      {{"What"},
       {"Frames", Kind::number},
       {"Share", Kind::number},
       {"", Kind::bar},
       {"First", Kind::number}});
  for (const Lane& lane : curves.lanes) {
    const auto frames = static_cast<double>(lane.frames);
    const double share = frames / static_cast<double>(std::max<int64_t>(summary.frames, 1));
    table.row({{lane.name},
               {count(frames), frames},
               {fmt::format("{:.1f} %", 100 * share), share},
               {"", share},
               {fmt::format("frame {}", lane.first_frame), static_cast<double>(lane.first_frame)}});
  }
  return unseen + table.html();
}

std::string times_section(const Summary& summary) {
  if (summary.stages.empty()) return {};
  const Workload load = workload_of(summary);
  Table table(
      "Stages of the run, also in performance.txt and performance.json. Share is of the sum "
      "over threads.",
      {{"Stage"},
       {"Device"},
       {"Calls", Kind::number},
       {"Sum, s", Kind::number},
       {"Mean, ms", Kind::number},
       {"Least", Kind::number},
       {"Most", Kind::number},
       {"Share", Kind::number},
       {"", Kind::bar}});
  auto rows = summary.stages;
  std::ranges::stable_sort(rows, std::greater{}, &face::StageTimes::Row::total_ms);
  for (const face::StageTimes::Row& row : rows) {
    const double share = load.thread_seconds > 0 ? row.total_ms / 1000 / load.thread_seconds : 0;
    table.row({{std::string(describe_stage(row.name))},
               {std::string(device_of_stage(row.name, summary))},
               {count(static_cast<double>(row.calls)), static_cast<double>(row.calls)},
               {number(row.total_ms / 1000), row.total_ms},
               {number(row.mean_ms), row.mean_ms},
               {number(row.min_ms), row.min_ms},
               {number(row.max_ms), row.max_ms},
               {fmt::format("{:.0f} %", 100 * share), share},
               {"", share}});
  }
  const std::string cover = stages_cover(summary);
  return paragraph(fmt::format(
             "{} s of wall clock{} for {} ({} frames/s). {}{}Stages run at the same time: summed "
             "over threads they took {} s, {} of them at once on average.",
             number(summary.seconds), cover.empty() ? "" : " in all runs together",
             count(static_cast<double>(summary.frames), "frame"), number(summary.fps), cover,
             cover.empty() ? "" : " ", number(load.thread_seconds), number(load.at_once))) +
         (summary.networks_ran.empty() ? "" : paragraph(summary.networks_ran)) + table.html();
}

std::string origin_section(const Summary& summary, const Origin& origin) {
  Table networks("Networks", {{"For"}, {"Kind"}, {"File"}, {"SHA-256"}});
  for (const Origin::Network& network : origin.networks)
    networks.row({{network.role}, {network.kind}, {network.file}, {network.sha256}});
  std::vector<std::string> lines{
      "Input: " + summary.input + " (" + summary.source.substr(0, summary.source.find(',')) + ")",
      fmt::format("Pack: {}, licence {}", summary.pack, origin.pack_licence)};
  if (!origin.pack_notes.empty()) lines.push_back("Of the pack: " + origin.pack_notes);
  lines.push_back(fmt::format("Device: {}; {}", summary.device, summary.precision));
  lines.push_back("Settings: " + summary.settings);
  if (!origin.command.empty()) lines.push_back("Command: " + origin.command);
  lines.push_back("Made by " + origin.version + ", " + origin.date);
  return networks.html() + list(lines);
}

std::string footer_text() {
  return paragraph(
             "Not a medical device: nothing here has been validated for diagnosis or "
             "treatment. This page holds pictures of a face and measurements of it, which are "
             "health data: keep and pass it on as such.") +
         "<details class=\"licences\"><summary>Charts are drawn by uPlot 1.6.32, MIT "
         "licence</summary>\n<pre>" +
         escaped_lines(kChartLicence.text) + "</pre></details>\n";
}

}  // namespace vultus::report
