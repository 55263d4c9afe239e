#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vultus {

using Moment = std::chrono::steady_clock::time_point;
double ms_between(Moment from, Moment to);

/// What a piece of a run is spent on.
enum class Stage : uint8_t { upload, compute, read_back };
std::string_view name_of(Stage stage);

/// When a device did what in its last finished run, on the host's clock: copies in until `compute`,
/// computes until `read_back`, copies out until `end`.
struct DeviceTimes {
  Moment begin, compute, read_back, end;
};

struct RunSpan {
  size_t partition = 0;
  Stage stage = Stage::compute;
  double start_ms = 0;  ///< since the run began
  double ms = 0;
};

/// Where the time of one run went, from `submit` to the end of `wait`. What a session copies in
/// `set_input` comes before.
struct RunTimes {
  std::vector<RunSpan> spans;  ///< in order of their starts, all within the run
  double wall_ms = 0;
  /// False where a GPU has no timestamps: its copies and the way to it then count as computing.
  bool device_clock = true;

  double sum_ms(Stage stage) const;
  double covered_ms() const;  ///< of the run, with at least one span over it
  /// Under no span: submission, waits, hand-over.
  double host_ms() const { return wall_ms - covered_ms(); }
  /// What spans that lie over one another count too often: the stages and `host_ms` less this are
  /// `wall_ms`.
  double overlap_ms() const;
};

/// Notes the times of one run. Allocates only when it is made; threads may note for different
/// partitions at the same time.
class RunClock {
 public:
  explicit RunClock(size_t partitions = 0);
  void begin();
  void note(size_t partition, Stage stage, Moment from, Moment to);
  /// Of a partition that was submitted at `from` and seen done at `to`.
  void note(size_t partition, const DeviceTimes& times, Moment from, Moment to);
  /// A GPU whose clock cannot be read.
  void note_unclocked(size_t partition) { notes_[partition].device_clock = false; }
  /// Now; `times` are of this run from here on.
  void finish();
  const RunTimes& times() const { return times_; }

 private:
  struct Note {
    Stage stage = Stage::compute;
    Moment from, to;
  };
  struct Notes {
    std::array<Note, 5> notes;  ///< in by the host, the device's three, out by the host
    size_t count = 0;
    bool device_clock = true;
  };
  std::vector<Notes> notes_;  ///< by partition
  Moment begin_;
  RunTimes times_;
};

}  // namespace vultus
