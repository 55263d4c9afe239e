#include "host/run/lanes.hpp"

#include <algorithm>
#include <new>
#include <system_error>

namespace vultus {

namespace {

/// Whether some job of one lane neither needs nor is needed by some job of the other.
bool can_overlap(const std::vector<Lanes::Job>& jobs) {
  constexpr size_t kMostExamined = 1000;  // the table is quadratic; a thread too many does no harm
  if (jobs.size() > kMostExamined) return true;
  std::vector<std::vector<bool>> needs(jobs.size(), std::vector<bool>(jobs.size()));
  for (size_t j = 0; j < jobs.size(); ++j) {
    for (size_t before : jobs[j].after) {
      needs[j][before] = true;
      for (size_t k = 0; k < before; ++k)
        if (needs[before][k]) needs[j][k] = true;
    }
    for (size_t k = 0; k < j; ++k)
      if (jobs[k].aside != jobs[j].aside && !needs[j][k]) return true;
  }
  return false;
}

/// An exception must not end one lane while the other works.
Result<void> guarded(const std::function<Result<void>(size_t)>& work, size_t job) {
  try {
    return work(job);
  } catch (const std::bad_alloc&) {
    return Error{Errc::out_of_memory, "not enough memory for a partition's results"};
  }
}

}  // namespace

Lanes::Lanes(std::vector<Job> jobs) : jobs_(std::move(jobs)), done_(jobs_.size()) {
  if (!can_overlap(jobs_)) return;
  try {
    thread_ = std::thread([this] { serve(); });
  } catch (const std::system_error&) {
    // No thread to be had: one after the other then.
  }
}

Lanes::~Lanes() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool Lanes::may_begin(size_t job) const {
  return std::ranges::all_of(jobs_[job].after, [&](size_t before) { return done_[before]; });
}

void Lanes::work_off(bool aside) {
  for (size_t job = 0; job < jobs_.size(); ++job) {
    if (jobs_[job].aside != aside) continue;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return failure_ || may_begin(job); });
      if (failure_) return;
    }
    Result<void> result = guarded(*work_, job);
    {
      std::lock_guard lock(mutex_);
      done_[job] = true;
      if (!result && !failure_) failure_ = result.error();
    }
    changed_.notify_all();
  }
}

void Lanes::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ending_ || aside_busy_; });
    if (ending_) return;
    lock.unlock();
    work_off(true);
    lock.lock();
    aside_busy_ = false;
    changed_.notify_all();
  }
}

Result<void> Lanes::run(const std::function<Result<void>(size_t)>& work) {
  if (!overlaps()) {
    for (size_t job = 0; job < jobs_.size(); ++job)
      VULTUS_CHECK(work(job));
    return {};
  }
  {
    std::lock_guard lock(mutex_);
    std::fill(done_.begin(), done_.end(), false);
    failure_.reset();
    work_ = &work;
    aside_busy_ = true;
  }
  changed_.notify_all();
  work_off(false);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !aside_busy_; });
  work_ = nullptr;
  if (failure_) return *failure_;
  return {};
}

}  // namespace vultus
