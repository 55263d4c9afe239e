#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/core/result.hpp"

namespace vultus {

struct JoinOptions {
  /// File whose first audio stream is copied unchanged; empty: no sound. A codec that MP4 cannot
  /// hold is left out with a warning.
  std::string audio_from = {};
  bool index_first = false;  ///< rewrites the finished file so that it plays while it downloads
};

struct WriteSummary {
  int64_t frames = 0;
  int64_t audio_packets = 0;
  std::vector<std::string> warnings;
};

/// Makes an MP4 of the coded pictures that a VideoWriter has left in `packets`, without encoding
/// anything: time stamps stay exact, sound ends with the pictures. The file appears under its name
/// when it is complete and on the disk; until then it is `<path>.partial`, which an error removes.
/// mismatch where `packets` is damaged; unwritable.
Result<WriteSummary> join_mp4(const std::string& packets, const std::string& path,
                              const JoinOptions& options);

}  // namespace vultus
