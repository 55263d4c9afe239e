#pragma once

// A recording that never was: what a report is made of, with values known in advance.
#include <cmath>
#include <string>

#include "models/report/report.hpp"

namespace vultus::test {

/// Score of the k-th action unit (report::kActionUnits) in a frame, 0..1.
inline float synthetic_score(size_t unit, int64_t frame, bool left) {
  const double phase = static_cast<double>(frame) / 30 + static_cast<double>(unit);
  return static_cast<float>(0.3 + (left ? 0.25 : 0.15) * std::sin(phase) +
                            0.001 * static_cast<double>(frame % 7));
}
inline bool synthetic_gap(int64_t frame) {
  return frame >= 31 && frame <= 40;
}
inline bool synthetic_yaw(int64_t frame) {
  return frame >= 51 && frame <= 55;
}
inline double synthetic_seconds(int64_t frame) {
  return static_cast<double>(frame - 1) / 30;
}

/// 30 frames a second, one face: none in 31..40, another id from 41 on, turned in 51..55.
inline report::SampleSource synthetic_samples(int64_t frames) {
  return [frames](const report::SampleVisitor& visit) -> Result<void> {
    for (int64_t frame = 1; frame <= frames; ++frame) {
      report::FrameSample sample{frame, synthetic_seconds(frame), false, {}};
      if (!synthetic_gap(frame)) {
        report::FaceSample& face = sample.faces.emplace_back();
        face.id = frame > 40 ? 1 : 0;
        for (size_t i = 0; i < report::kActionUnits.size(); ++i) {
          face.left[i] = synthetic_score(i, frame, true);
          face.right[i] = synthetic_score(i, frame, false);
        }
        if (synthetic_yaw(frame)) face.flags = {measure::Flag::yaw};
      }
      VULTUS_CHECK(visit(sample));
    }
    return {};
  };
}

inline Summary synthetic_summary(const std::string& input, int64_t frames) {
  Summary summary;
  summary.input = input;
  summary.complete = true;
  summary.frames = summary.declared_frames = frames;
  summary.frames_without_face = 10;
  summary.seconds = 4;
  summary.run_seconds = 4;
  summary.busy_seconds = 3;
  summary.fps = static_cast<double>(frames) / 4;
  summary.video_fps = 30;
  summary.device = "Test GPU";
  summary.precision = "fp16";
  summary.pack = "test 1";
  summary.source = "1 byte";
  summary.settings = "one face";
  summary.stages = {{"decode", 90, 1000, 11.1, 12, 5, 20, 1000},
                    {"landmarks", 80, 5000, 62.5, 70, 50, 99, 2500}};
  summary.warnings = {"the face was lost once"};
  return summary;
}

/// Rest at frame 5, most movement of the mouth at 60; a valid row and one that is not.
inline measure::Sheet synthetic_sheet() {
  measure::Sheet sheet;
  sheet.face_id = 1;
  sheet.rest = measure::Moment{5, synthetic_seconds(5)};
  sheet.peaks[static_cast<size_t>(measure::Region::mouth)] =
      measure::Peak{{60, synthetic_seconds(60)}, 0.1, 0.04};
  for (const measure::Measure& measure : measure::all_measures()) {
    if (measure.name != "oral_commissure" && measure.name != "palpebral_fissure") continue;
    measure::SheetRow row;
    row.measure = &measure;
    row.unit = "mm";
    row.state = measure::SheetRow::State::peak;
    row.left = 31.25;
    row.right = 23.5;
    row.difference = 7.75;
    row.percent = 24.8;
    row.frames = 5;
    row.valid = measure.name == "oral_commissure";
    row.voided_by = row.valid ? "" : "small_face";
    sheet.rows.push_back(row);
  }
  sheet.notes = {"the face at rest was taken from 0.1 s to 0.9 s"};
  return sheet;
}

inline report::Origin synthetic_origin() {
  report::Origin origin;
  origin.width = 320;
  origin.height = 240;
  origin.command = "vultus process clip.mp4 -o out";
  origin.version = "0";
  origin.date = "2026-01-01 00:00 UTC";
  origin.networks = {{"landmarks", "pfld98", "pfld.onnx", "00ff"}};
  origin.pack_licence = "MIT";
  return origin;
}

}  // namespace vultus::test
