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
  struct Row {
    std::string name;
    int64_t calls = 0;
    double total_ms = 0, mean_ms = 0, p95_ms = 0;
  };

  void add(std::string_view stage, double ms);
  /// In the order in which the stages were first added.
  std::vector<Row> rows() const;

  /// Adds the time from its making to its end.
  class Timer {
   public:
    Timer(StageTimes* times, std::string_view stage)
        : times_(times), stage_(stage), start_(std::chrono::steady_clock::now()) {}
    ~Timer() {
      if (times_) times_->add(stage_, ms_since(start_));
    }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

   private:
    StageTimes* times_;
    std::string_view stage_;
    std::chrono::steady_clock::time_point start_;
  };

  static double ms_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
        .count();
  }

 private:
  static constexpr size_t kClasses = 1024;
  struct Stage {
    std::string name;
    int64_t calls = 0;
    double total_ms = 0;
    std::array<uint32_t, kClasses> histogram{};
  };
  mutable std::mutex mutex_;
  std::vector<Stage> stages_;
};

}  // namespace vultus::face
