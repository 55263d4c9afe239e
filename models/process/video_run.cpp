#include "models/process/video_run.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace vultus {

namespace {

/// Errors that tell that what is there is of no use (missing, damaged, of something else), not that
/// it cannot be used now.
bool of_no_use(const Error& error) {
  return error.code == Errc::mismatch || error.code == Errc::bad_input;
}

}  // namespace

VideoRun::VideoRun(Options options, VideoReader& reader, Measurer& measurer, OutputFolder& folder,
                   face::StageTimes* times)
    : options_(std::move(options)),
      reader_(reader),
      measurer_(measurer),
      folder_(folder),
      times_(times),
      transfers_before_(options_.transfers()) {}

JournalHeader VideoRun::header() const {
  const VideoInfo& info = reader_.info();
  return {options_.identity, options_.scheme, info.size, info.time_base, info.frame_rate};
}

Checkpoint VideoRun::state() const {
  Checkpoint now = state_;
  now.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  now.transfers += options_.transfers() - transfers_before_;
  return now;
}

Result<void> VideoRun::open() {
  if (folder_.has_checkpoint()) {
    Result<void> resumed = resume();
    if (resumed || !of_no_use(resumed.error())) return resumed;
    note_ = "begun again, because " + resumed.error().what;
  }
  return begin();
}

Result<void> VideoRun::begin() {
  renderer_.reset();
  journal_.reset();
  folder_.clear();
  resumed_at_ = 0;
  state_ = {};
  state_.identity = options_.identity;
  state_.started =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
  for (const std::string& file : Renderer::files(rendering()))
    state_.videos.push_back({file, 0, false, {}});
  VULTUS_TRY(journal_, Journal::create(folder_.journal(), header()));
  VULTUS_TRY(renderer_, Renderer::create(rendering(), reader_.info(), times_));
  return {};
}

Result<void> VideoRun::resume() {
  VULTUS_TRY(state_, Checkpoint::load(folder_.checkpoint()));
  if (state_.identity != options_.identity)
    return Error{Errc::mismatch,
                 "what an earlier run has left is of another recording, other options, another "
                 "pack or device, or another version of this program"};
  const std::vector<std::string> files = Renderer::files(rendering());
  const bool same = std::ranges::equal(files, state_.videos, {}, {}, &VideoState::file);
  if (!same) return Error{Errc::mismatch, folder_.checkpoint() + " lists other videos"};
  VULTUS_CHECK(check_journal());
  VULTUS_TRY(journal_, Journal::reopen(folder_.journal(), state_.journal_bytes));
  folder_.keep(true);
  if (!options_.finished) ++state_.resumptions;
  resumed_at_ = state_.frames;
  if (state_.decoded) return {};
  std::vector<int64_t> lengths;
  if (state_.rendered > 0)
    for (const VideoState& video : state_.videos)
      lengths.push_back(video.packet_bytes);
  VULTUS_TRY(renderer_, Renderer::create(rendering(), reader_.info(), times_, lengths,
                                         files.empty() ? 0 : state_.rendered));
  measurer_.restore(state_.tracker);
  return {};
}

Result<void> VideoRun::check_journal() const {
  VULTUS_TRY(JournalReader reader, JournalReader::open(folder_.journal(), state_.journal_bytes));
  if (reader.header() != header())
    return Error{Errc::mismatch, folder_.journal() + " is that of another video"};
  for (int64_t frames = 0;; ++frames) {
    VULTUS_TRY(auto record, reader.next());
    if (record) continue;
    if (frames == state_.frames) return {};
    return Error{Errc::mismatch, fmt::format("{}: {} frames of {} are there", folder_.journal(),
                                             frames, state_.frames)};
  }
}

/// The file is the same by size and time: what it lies on fails.
Error VideoRun::fewer_frames() const {
  return {Errc::bad_input,
          fmt::format("{}: {} frames can be read, {} could before: try again when the disk or "
                      "network it lies on is well, or measure it anew with --force",
                      reader_.info().path, pushed_, state_.frames)};
}

Result<void> VideoRun::skip_rendered() {
  constexpr int64_t kAtOnce = 100;
  while (pushed_ < state_.rendered) {
    if (options_.cancel && options_.cancel->load()) return stop();
    face::StageTimes::Timer timer(times_, "skip");
    const int64_t wanted = std::min(kAtOnce, state_.rendered - pushed_);
    VULTUS_TRY(int64_t skipped, reader_.skip(wanted));
    pushed_ += skipped;
    if (skipped < wanted) return fewer_frames();
  }
  if (state_.rendered == state_.frames) return {};
  VULTUS_TRY(replay_, JournalReader::open(folder_.journal(), state_.journal_bytes));
  for (int64_t i = 0; i < state_.rendered; ++i)
    VULTUS_CHECK(replay_->next());
  return {};
}

Result<std::vector<Frame>> VideoRun::read(size_t most) {
  std::vector<Frame> frames;
  while (frames.size() < most) {
    face::StageTimes::Timer timer(times_, "decode");
    VULTUS_TRY(std::optional<Frame> frame, reader_.next());
    if (!frame) break;
    frames.push_back(std::move(*frame));
  }
  return frames;
}

/// What an earlier run has measured, or what is measured now.
Result<std::vector<FrameRecord>> VideoRun::records_of(std::span<const Frame> frames) {
  std::vector<FrameRecord> records;
  if (pushed_ < state_.frames) {
    for (size_t i = 0; i < frames.size(); ++i) {
      VULTUS_TRY(auto measured, replay_->next());
      if (!measured) return Error{Errc::mismatch, folder_.journal() + " ends before its time"};
      records.push_back(std::move(*measured));
    }
    return records;
  }
  VULTUS_TRY(records, measurer_.push(frames));
  for (const FrameRecord& record : records)
    VULTUS_CHECK(journal_->append(record));
  state_.frames += static_cast<int64_t>(records.size());
  return records;
}

/// As many as are measured together, which begin at multiples of their number wherever the run was
/// taken up. False at the end.
Result<bool> VideoRun::next_frames() {
  size_t most = measurer_.frames_at_once(reader_.info().size);
  if (pushed_ < state_.frames) most = std::min(most, static_cast<size_t>(state_.frames - pushed_));
  VULTUS_TRY(std::vector<Frame> frames, read(most));
  if (frames.empty()) return false;
  VULTUS_TRY(std::vector<FrameRecord> records, records_of(frames));
  for (size_t i = 0; i < frames.size(); ++i) {
    if (!renderer_->push(std::move(frames[i]), std::move(records[i]))) return renderer_failure();
    if (++pushed_ % Checkpoint::kFramesPerPiece == 0) marks_.push_back(renderer_->mark(pushed_));
  }
  return true;
}

Error VideoRun::renderer_failure() {
  Result<void> finished = renderer_->finish();
  if (!finished) return finished.error();
  return {Errc::internal, "the videos are not written any more"};
}

Result<void> VideoRun::save() {
  VULTUS_CHECK(journal_->sync());
  state_.journal_bytes = journal_->length();
  state_.tracker = measurer_.state();
  VULTUS_CHECK(state().save(folder_.checkpoint()));
  folder_.keep(true);
  return {};
}

Result<void> VideoRun::save_ready(bool wait) {
  bool news = false;
  while (!marks_.empty() && (wait || marks_.front()->ready())) {
    if (!marks_.front()->wait()) return renderer_failure();
    state_.rendered = marks_.front()->frames();
    for (size_t i = 0; i < state_.videos.size(); ++i)
      state_.videos[i].packet_bytes = marks_.front()->lengths()[i];
    marks_.pop_front();
    news = true;
  }
  // While frames are drawn anew the tracker is ahead of them, as the checkpoint says.
  return news || wait ? save() : Result<void>();
}

Result<void> VideoRun::stop() {
  if (state_.frames > 0) VULTUS_CHECK(save_ready(true));
  return Error{
      Errc::interrupted,
      state_.frames == 0
          ? "stopped before the first frame"
          : fmt::format("stopped after frame {}; the same command again goes on from there",
                        state_.frames)};
}

Result<void> VideoRun::work() {
  if (state_.decoded) return {};
  VULTUS_CHECK(skip_rendered());
  while (true) {
    if (options_.cancel && options_.cancel->load()) return stop();
    VULTUS_TRY(bool more, next_frames());
    if (!more) break;
    VULTUS_CHECK(save_ready(false));
    if (options_.progress) options_.progress(pushed_);
  }
  if (pushed_ < state_.frames) return fewer_frames();
  if (state_.frames == 0)
    return Error{Errc::bad_input,
                 fmt::format("{}: no picture could be decoded", reader_.info().path)};
  marks_.push_back(renderer_->mark(pushed_));
  state_.decoded = true;
  state_.read = reader_.summary();
  VULTUS_CHECK(save_ready(true));
  VULTUS_CHECK(renderer_->finish());
  renderer_.reset();
  return {};
}

Result<void> VideoRun::join() {
  const JoinOptions options = WriterOptions::like(reader_.info()).file;
  for (VideoState& video : state_.videos) {
    const std::string path = folder_.working() + "/" + video.file;
    const std::string packets = VideoWriter::packets_of(path);
    if (!video.joined) {
      face::StageTimes::Timer timer(times_, "join");
      VULTUS_TRY(video.summary, join_mp4(packets, path, options));
      if (video.summary.frames != state_.frames)
        return Error{Errc::mismatch, fmt::format("{}: {} pictures of {} were coded", path,
                                                 video.summary.frames, state_.frames)};
      video.joined = true;
      VULTUS_CHECK(state().save(folder_.checkpoint()));
    }
    // Not before the checkpoint says that they are not needed any more.
    ::unlink(packets.c_str());
  }
  // It stays with the results: nothing of the last pictures.
  face::LandmarkTracker::State kept;
  kept.tracker.most_faces = state_.tracker.tracker.most_faces;
  state_.tracker = std::move(kept);
  return state().save(folder_.checkpoint());
}

}  // namespace vultus
