#include <fmt/format.h>

#include <utility>

#include "models/process/job.hpp"
#include "models/process/notes.hpp"
#include "models/process/video_run.hpp"

namespace vultus {

Result<void> Processor::run_video(Job& job) {
  Summary& summary = job.summary;
  VULTUS_TRY(VideoReader reader, VideoReader::open(job.input));
  Measurer measurer(networks_, tracking(), &job.times, options_.sides);
  VideoRun::Options options;
  options.identity = job.identity;
  options.finished = job.remake;
  options.scheme = networks_.landmarker->scheme();
  options.mirror = options_.mirror;
  options.overlay = options_.overlay;
  options.sides = options_.sides;
  options.cancel = options_.cancel;
  options.transfers = [this] { return networks_.transfers(); };
  options.progress = [&](int64_t frames) {
    if (options_.progress)
      options_.progress({job.input, frames, reader.info().declared_frames,
                         face::StageTimes::ms_since(job.start) / 1000});
  };
  VideoRun run(std::move(options), reader, measurer, job.folder, &job.times);
  VULTUS_CHECK(run.open());
  summary.measured_before = run.resumed_at();
  if (!job.remake) summary.resumed_at = run.resumed_at();
  summary.begun_again = run.note();
  VULTUS_CHECK(run.work());
  VULTUS_CHECK(run.join());
  if (networks_.chain) summary.networks_ran = networks_.chain->how();

  const Checkpoint state = run.state();
  const ReadSummary& read = state.read;
  summary.frames = state.frames;
  summary.seconds = state.seconds;
  summary.transfers = state.transfers;
  summary.resumptions = state.resumptions;
  summary.started = state.started;
  const Rational time_base = reader.info().time_base;
  summary.time_base = fmt::format("{}/{}", time_base.num, time_base.den);
  summary.video_fps = reader.info().frame_rate.value();
  summary.declared_frames = read.declared_frames;
  summary.lost_frames = read.lost_frames();
  summary.damaged_frames = read.damaged_frames;
  summary.lost = lost_sentences(read);
  summary.warnings = reader.info().warnings;
  summary.warnings.insert(summary.warnings.end(), read.warnings.begin(), read.warnings.end());
  job.most_faces = state.tracker.tracker.most_faces;
  VULTUS_CHECK(write_tables(job));
  summary.outputs.insert(summary.outputs.end(),
                         {OutputFolder::kJournal, OutputFolder::kCheckpoint});
  for (const VideoState& video : state.videos) {
    summary.outputs.push_back(video.file);
    for (const std::string& warning : video.summary.warnings)
      summary.warnings.push_back(fmt::format("{}: {}", video.file, warning));
  }
  return {};
}

}  // namespace vultus
