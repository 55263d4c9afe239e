#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace vultus::face {

/// How long each stage of a run took, in constant memory: the percentile comes from a histogram
/// whose classes are 2 % wide. Safe to add to from several threads.
class StageTimes {
 public:
  using Clock = std::chrono::steady_clock;
  struct Row {
    std::string name;
    int64_t calls = 0;
    double total_ms = 0, mean_ms = 0, p95_ms = 0, min_ms = 0, max_ms = 0;
    /// Wall clock during which at least one call ran: less than the total where calls overlap.
    double busy_ms = 0;
  };

  /// A call that ran alone.
  void add(std::string_view stage, double ms);
  /// In the order in which the stages first began.
  std::vector<Row> rows() const;
  /// Wall clock during which at least one call of any stage ran.
  double busy_ms() const;

  /// Adds the time from its making to its end.
  class Timer {
   public:
    Timer(StageTimes* times, std::string_view stage)
        : times_(times), stage_(stage), start_(Clock::now()) {
      if (times_) times_->begin(stage_, start_);
    }
    ~Timer() {
      if (times_) times_->end(stage_, start_, Clock::now());
    }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

   private:
    StageTimes* times_;
    std::string_view stage_;
    Clock::time_point start_;
  };

  static double ms_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

 private:
  static constexpr size_t kClasses = 1024;
  /// Sums the stretches in which something runs.
  struct Activity {
    int running = 0;
    Clock::time_point since;
    double ms = 0;

    void begin(Clock::time_point now) {
      if (running++ == 0) since = now;
    }
    void end(Clock::time_point now) {
      if (--running == 0) ms += std::chrono::duration<double, std::milli>(now - since).count();
    }
  };
  struct Stage {
    std::string name;
    int64_t calls = 0;
    double total_ms = 0, min_ms = 0, max_ms = 0;
    Activity activity;
    std::array<uint32_t, kClasses> histogram{};

    void add(double ms);
  };

  void begin(std::string_view stage, Clock::time_point now);
  void end(std::string_view stage, Clock::time_point start, Clock::time_point now);
  Stage& stage(std::string_view name);

  mutable std::mutex mutex_;
  std::vector<Stage> stages_;
  Activity activity_;
};

}  // namespace vultus::face
