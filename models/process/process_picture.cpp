#include <utility>

#include "models/face/mirror.hpp"
#include "models/image/image.hpp"
#include "models/process/job.hpp"
#include "models/process/notes.hpp"
#include "models/process/renderer.hpp"
#include "models/process/tables.hpp"

namespace vultus {

Result<void> Processor::run_image(Job& job) {
  Summary& summary = job.summary;
  VULTUS_CHECK(check_cancelled(job));
  VULTUS_TRY(cv::Mat picture, read_image(job.input));
  summary.frames = summary.declared_frames = 1;
  summary.outputs = Tables::names();
  Measurer measurer(networks_, tracking(), &job.times);
  VULTUS_TRY(FrameRecord record, measurer.measure_picture(picture));
  summary.frames_without_face = record.faces.empty() ? 1 : 0;
  summary.warnings = face_sentences(summary, options_, 0, measurer.most_faces());
  VULTUS_TRY(Tables tables, Tables::create(job.folder.working(), layout()));
  VULTUS_CHECK(tables.add(record));
  VULTUS_CHECK(tables.finish());
  auto write = [&](const char* name, const cv::Mat& drawn) -> Result<void> {
    face::StageTimes::Timer timer(&job.times, "encode");
    VULTUS_CHECK(write_png(job.file(name), drawn));
    summary.outputs.push_back(name);
    return {};
  };
  if (options_.mirror) {
    face::MirroredPair pair;
    std::optional<face::Midline> midline;
    if (!record.faces.empty()) midline = face::midline_of(record.faces.front().face.landmarks);
    face::mirror_both(picture, midline, pair);
    VULTUS_CHECK(write("left_mirrored.png", pair.left));
    VULTUS_CHECK(write("right_mirrored.png", pair.right));
  }
  if (options_.overlay) VULTUS_CHECK(write("overlay.png", draw_faces(picture, record)));
  return {};
}

}  // namespace vultus
