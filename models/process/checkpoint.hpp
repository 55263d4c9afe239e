#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/run/session.hpp"
#include "models/face/landmark_tracker.hpp"
#include "models/video/join.hpp"
#include "models/video/reader.hpp"

namespace vultus {

/// One output video while it is made.
struct VideoState {
  std::string file;          ///< "overlay.mp4"
  int64_t packet_bytes = 0;  ///< valid length of its packets; 0: none were finished
  bool joined = false;       ///< the MP4 is there; `summary` tells of it
  WriteSummary summary;
};

/// Where the work on a video stands: with the journal and the packets beside it all that a later
/// run needs to go on from there.
struct Checkpoint {
  /// Frames are drawn and coded in pieces of this many, whose ends do not depend on when a run was
  /// stopped: so what is written does not either.
  static constexpr int64_t kFramesPerPiece = 100;

  std::string identity;  ///< of program, settings and source
  /// Measured: their records are in the journal. A multiple of the frames that are measured
  /// together, or all.
  int64_t frames = 0;
  int64_t journal_bytes = 0;  ///< its valid length
  int64_t rendered = 0;       ///< frames in the packets, whole pieces unless `decoded`
  std::vector<VideoState> videos;
  bool decoded = false;  ///< the input has ended; `read` tells of it
  ReadSummary read;
  face::LandmarkTracker::State tracker;
  Transfers transfers;  ///< of all runs so far
  double seconds = 0;   ///< wall clock of all runs so far
  int resumptions = 0;
  std::string started;  ///< the first run, UTC

  /// Replaces the file in one step, on the disk when this returns. unwritable.
  Result<void> save(const std::string& path) const;
  /// mismatch where it is damaged or of another version; bad_input where it is not there.
  static Result<Checkpoint> load(const std::string& path);
};

}  // namespace vultus
