#pragma once

#include <string>

namespace vultus::cpu {

/// Threads worth starting: the affinity mask, no more than the CPU quota of the cgroup (version 2
/// or 1) rounded up; at least 1.
int available_threads();
/// CPUs that a cgroup allows, from the text of `cpu.max` ("200000 100000", "max 100000"); 0 when
/// there is no limit or the text is something else.
int quota_of_cpu_max(const std::string& text);
/// CPUs that the groups in the text of /proc/self/cgroup allow, with those around them; versions 2
/// and 1, mounted at `root`. 0: no limit.
int quota_of_groups(const std::string& root, const std::string& groups);
/// The CPU's name as the kernel tells it; "CPU" when it does not.
std::string cpu_name();

/// Threads that the next parallel region of the calling thread has.
int team_size();

/// Sets the OpenMP thread count of the calling thread for a scope.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

}  // namespace vultus::cpu
