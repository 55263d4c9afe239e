#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "host/core/result.hpp"

namespace vultus {

/// Jobs that wait for one another in two lanes that work at the same time: one on the calling
/// thread, one on a thread of the object, which is started only where anything can overlap. Each
/// lane takes its jobs in order. Running allocates nothing.
class Lanes {
 public:
  struct Job {
    bool aside = false;         ///< on the other thread
    std::vector<size_t> after;  ///< earlier jobs that must be done
  };
  explicit Lanes(std::vector<Job> jobs);
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  /// Whether two jobs of different lanes may run at the same time.
  bool overlaps() const { return thread_.joinable(); }
  /// Does every job once; after an error no other is begun. The first error is returned.
  Result<void> run(const std::function<Result<void>(size_t job)>& work);

 private:
  void serve();
  void work_off(bool aside);
  bool may_begin(size_t job) const;

  std::vector<Job> jobs_;
  std::vector<bool> done_;
  const std::function<Result<void>(size_t)>* work_ = nullptr;  ///< while a run is under way
  std::optional<Error> failure_;
  bool aside_busy_ = false, ending_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace vultus
