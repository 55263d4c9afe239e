#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

namespace vultus {

/// A place in the order of frames that several threads come to: what each has finished up to there.
class Mark {
 public:
  /// `frames` lie before it; `parts` threads report.
  Mark(int64_t frames, size_t parts) : frames_(frames), lengths_(parts), missing_(parts) {}

  int64_t frames() const { return frames_; }
  void reached(size_t part, int64_t length) {
    std::lock_guard lock(mutex_);
    lengths_[part] = length;
    --missing_;
    changed_.notify_all();
  }
  /// A part will never come to it.
  void fail() {
    std::lock_guard lock(mutex_);
    failed_ = true;
    changed_.notify_all();
  }
  bool ready() {
    std::lock_guard lock(mutex_);
    return missing_ == 0;
  }
  /// Until all have come to it; false when one never will.
  bool wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return missing_ == 0 || failed_; });
    return missing_ == 0;
  }
  /// By part, of one that is ready.
  const std::vector<int64_t>& lengths() const { return lengths_; }

 private:
  int64_t frames_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int64_t> lengths_;
  size_t missing_;
  bool failed_ = false;
};

}  // namespace vultus
