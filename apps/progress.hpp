#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

namespace vultus::app {

/// Shows how far the work has come, on stderr: a line that rewrites itself on a terminal, a plain
/// line every ten seconds otherwise, one JSON line per update, or nothing.
class ProgressDisplay {
 public:
  enum class Style { automatic, plain, json, none };
  explicit ProgressDisplay(Style style);

  void begin(const std::string& input, size_t index, size_t count);
  /// At most ten updates a second are shown. `total` 0: unknown.
  void update(int64_t frames, int64_t total);
  /// Wipes the rewriting line, so that other text can follow.
  void end();

 private:
  using Clock = std::chrono::steady_clock;
  struct Sample {
    Clock::time_point when;
    int64_t frames;
  };
  double rate() const;  ///< frames per second over the last 30 s

  Style style_;
  bool terminal_;
  bool line_open_ = false;
  std::string input_;
  size_t index_ = 0, count_ = 0;
  Clock::time_point last_shown_{};
  std::deque<Sample> samples_;
};

}  // namespace vultus::app
