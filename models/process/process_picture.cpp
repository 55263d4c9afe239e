#include <utility>

#include "models/face/mirror.hpp"
#include "models/image/image.hpp"
#include "models/process/job.hpp"
#include "models/process/journal.hpp"
#include "models/process/renderer.hpp"

namespace vultus {

Result<void> Processor::run_image(Job& job) {
  Summary& summary = job.summary;
  if (options_.cancel && options_.cancel->load())
    return Error{Errc::interrupted, "stopped before it was measured"};
  VULTUS_TRY(cv::Mat picture, read_image(job.input));
  summary.frames = summary.declared_frames = 1;
  Measurer measurer(networks_, tracking(), &job.times, options_.sides);
  VULTUS_TRY(FrameRecord record, measurer.measure_picture(picture));
  job.most_faces = measurer.most_faces();
  job.folder.clear();  // a video of this name may have been stopped there
  {
    VULTUS_TRY(
        Journal journal,
        Journal::create(job.folder.journal(),
                        {job.identity, networks_.landmarker->scheme(), picture.size(), {}, {}}));
    VULTUS_CHECK(journal.append(record));
  }
  VULTUS_CHECK(write_tables(job));
  summary.outputs.push_back(OutputFolder::kJournal);
  summary.seconds = face::StageTimes::ms_since(job.start) / 1000;
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
    options_.sides.to_subject(pair.left, pair.right);
    VULTUS_CHECK(write("left_mirrored.png", pair.left));
    VULTUS_CHECK(write("right_mirrored.png", pair.right));
  }
  if (options_.overlay)
    VULTUS_CHECK(write("overlay.png", draw_faces(picture, record, options_.sides)));
  return {};
}

}  // namespace vultus
