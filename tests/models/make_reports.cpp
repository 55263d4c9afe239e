// Writes FOLDER/report.html, of a made-up recording of 90 frames and three tracks (the third
// follows the second from frame 71 on) whose file has a hostile name: what
// tests/apps/report_page_test.py looks at in a browser.
#include <fmt/format.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "models/video/writer.hpp"
#include "tests/models/synthetic_report.hpp"

namespace vultus {
namespace {

constexpr int64_t kFrames = 90;
const cv::Size kSize{320, 240};

Result<void> write_video(const std::string& path) {
  WriterOptions options;
  options.size = kSize;
  options.time_base = {1, 30};
  options.frame_rate = {30, 1};
  options.threads = 1;
  VULTUS_TRY(VideoWriter writer, VideoWriter::create(path, options));
  for (int64_t i = 0; i < kFrames; ++i) {
    cv::Mat picture(kSize, CV_8UC3, cv::Scalar(90, 110, static_cast<double>(2 * i)));
    cv::circle(picture, {160, 120}, 50, cv::Scalar(150, 180, 220), cv::FILLED);
    VULTUS_CHECK(writer.write(picture, i, 1));
  }
  VULTUS_CHECK(writer.finish());
  return {};
}

face::Expression expression(int64_t frame, bool left) {
  face::Expression expression;
  for (size_t i = 0; i < face::Expression::kActionUnits.size(); ++i) {
    const auto unit = std::ranges::find(report::kActionUnits, face::Expression::kActionUnits[i],
                                        &report::ActionUnit::code);
    expression.action_units[i] = test::synthetic_score(
        static_cast<size_t>(unit - report::kActionUnits.begin()), frame, left);
  }
  return expression;
}

Result<void> records(const measure::RecordVisitor& visit) {
  for (int64_t frame = 1; frame <= kFrames; ++frame) {
    FrameRecord record{frame, test::synthetic_seconds(frame), false, {}};
    if (!test::synthetic_gap(frame)) {
      FaceRecord& face = record.faces.emplace_back();
      face.face.id = frame > 70 ? 2 : frame > 40 ? 1 : 0;
      face.face.score = 0.95;
      face.face.box = {110, 70, 210, 170};
      face.left = expression(frame, true);
      face.right = expression(frame, false);
    }
    VULTUS_CHECK(visit(record));
  }
  return {};
}

Result<void> make(const std::string& folder) {
  const std::string video = folder + "/<img src=x onerror=alert(1)> & \"quoted\".mp4";
  VULTUS_CHECK(write_video(video));
  const Summary summary = test::synthetic_summary(video, kFrames);
  const measure::Sheet sheet = test::synthetic_sheet();
  measure::MeasureOptions options;
  options.picture = kSize;
  return report::write_report(folder + "/report.html",
                              {summary, test::synthetic_origin(), records, options, sheet});
}

}  // namespace
}  // namespace vultus

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (auto made = vultus::make(argv[1]); !made) {
    fmt::print(stderr, "{}\n", made.error().what);
    return 1;
  }
  return 0;
}
