#include <fmt/format.h>

#include <utility>

#include "models/process/job.hpp"
#include "models/process/notes.hpp"
#include "models/process/renderer.hpp"
#include "models/process/tables.hpp"
#include "models/video/reader.hpp"

namespace vultus {

namespace {

/// The frames are counted once more in the finished file, by its own index.
Result<void> verify_video(const std::string& path, int64_t frames) {
  VULTUS_TRY(VideoReader reader, VideoReader::open(path));
  if (reader.info().declared_frames != frames)
    return Error{Errc::mismatch, fmt::format("{}: holds {} frames, {} were written", path,
                                             reader.info().declared_frames, frames)};
  return {};
}

}  // namespace

Result<void> Processor::run_video(Job& job) {
  Summary& summary = job.summary;
  VULTUS_TRY(VideoReader reader, VideoReader::open(job.input));
  summary.video_fps = reader.info().frame_rate.value();
  VULTUS_TRY(Tables tables, Tables::create(job.folder.working(), layout()));
  VULTUS_TRY(auto renderer,
             Renderer::create({job.folder.working(), options_.mirror, options_.overlay},
                              reader.info(), &job.times));
  Measurer measurer(networks_, tracking(), &job.times);
  int front_id = -1, restarts = 0;
  while (true) {
    VULTUS_CHECK(check_cancelled(job));
    std::optional<Frame> frame;
    {
      face::StageTimes::Timer timer(&job.times, "decode");
      VULTUS_TRY(frame, reader.next());
    }
    if (!frame) break;
    ++summary.frames;
    VULTUS_TRY(FrameRecord record, measurer.push(*frame));
    if (record.faces.empty()) ++summary.frames_without_face;
    if (!record.faces.empty()) {
      const int id = record.faces.front().face.id;
      restarts += front_id >= 0 && id != front_id;
      front_id = id;
    }
    VULTUS_CHECK(tables.add(record));
    // A renderer that has failed takes no more; `finish` tells why.
    if (!renderer->push(std::move(*frame), std::move(record))) break;
    if (options_.progress)
      options_.progress({job.input, summary.frames, reader.info().declared_frames,
                         face::StageTimes::ms_since(job.start) / 1000});
  }
  if (summary.frames == 0)
    return Error{Errc::bad_input, fmt::format("{}: no picture could be decoded", job.input)};
  VULTUS_TRY(auto written, renderer->finish());
  VULTUS_CHECK(tables.finish());

  const ReadSummary& read = reader.summary();
  summary.declared_frames = read.declared_frames;
  summary.lost_frames = read.lost_frames();
  summary.damaged_frames = read.damaged_frames;
  summary.lost = lost_sentences(read);
  summary.warnings = reader.info().warnings;
  summary.warnings.insert(summary.warnings.end(), read.warnings.begin(), read.warnings.end());
  const auto notes = face_sentences(summary, options_, restarts, measurer.most_faces());
  summary.warnings.insert(summary.warnings.end(), notes.begin(), notes.end());
  summary.outputs = Tables::names();
  for (const Renderer::Written& video : written) {
    VULTUS_CHECK(verify_video(job.file(video.file), summary.frames));
    summary.outputs.push_back(video.file);
    for (const std::string& warning : video.summary.warnings)
      summary.warnings.push_back(fmt::format("{}: {}", video.file, warning));
  }
  return {};
}

}  // namespace vultus
