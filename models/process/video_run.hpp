#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "models/process/checkpoint.hpp"
#include "models/process/journal.hpp"
#include "models/process/measurer.hpp"
#include "models/process/output_folder.hpp"
#include "models/process/renderer.hpp"
#include "models/video/reader.hpp"

namespace vultus {

/// The work on one video, from its frames to the journal and the finished videos, with checkpoints
/// on the way: a run that ends anywhere is taken up by the next one, and the results are the same.
class VideoRun {
 public:
  struct Options {
    std::string identity;  ///< of program, settings and source
    face::LandmarkScheme scheme = face::LandmarkScheme::wflw98;
    bool mirror = true, overlay = true;
    bool finished = false;  ///< an earlier run has finished: taking it up is no resumption
    measure::Sides sides;
    const std::atomic<bool>* cancel = nullptr;
    std::function<void(int64_t frames)> progress;  ///< after the frames measured together
    std::function<Transfers()> transfers;          ///< of the networks, since they were opened
  };
  /// All outlive it. `measurer` is new.
  VideoRun(Options options, VideoReader& reader, Measurer& measurer, OutputFolder& folder,
           face::StageTimes* times);

  /// Goes on from the checkpoint in the folder, or begins where there is none that fits.
  Result<void> open();
  /// Measures and draws all frames that are left. interrupted where it was cancelled; then and on
  /// any other error what is done stays in the folder if a checkpoint was made.
  Result<void> work();
  /// Makes the videos of their packets.
  Result<void> join();

  /// Where it stands; `seconds` and `transfers` with those of this run.
  Checkpoint state() const;
  /// Why an earlier run could not be taken up; empty where none was there or it was.
  const std::string& note() const { return note_; }
  int64_t resumed_at() const { return resumed_at_; }  ///< frames that were there already

 private:
  Renderer::Options rendering() const {
    return {folder_.working(), options_.mirror, options_.overlay, options_.sides};
  }
  JournalHeader header() const;
  Result<void> begin();
  Result<void> resume();
  Result<void> check_journal() const;
  Result<void> skip_rendered();
  Result<std::vector<Frame>> read(size_t most);
  Result<std::vector<FrameRecord>> records_of(std::span<const Frame> frames);
  Result<bool> next_frames();
  Result<void> save_ready(bool wait);
  Result<void> save();
  Result<void> stop();
  Error renderer_failure();
  Error fewer_frames() const;

  Options options_;
  VideoReader& reader_;
  Measurer& measurer_;
  OutputFolder& folder_;
  face::StageTimes* times_;
  Checkpoint state_;
  std::optional<Journal> journal_;
  std::optional<JournalReader> replay_;  ///< records of frames that were measured, not drawn
  std::unique_ptr<Renderer> renderer_;
  std::deque<std::shared_ptr<Mark>> marks_;
  std::string note_;
  int64_t resumed_at_ = 0;
  int64_t pushed_ = 0;  ///< frames given to the renderer, those before this run included
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Transfers transfers_before_;
};

}  // namespace vultus
