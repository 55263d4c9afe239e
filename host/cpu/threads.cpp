#include "host/cpu/threads.hpp"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

namespace vultus::cpu {

namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

int round_up(double quota, double period) {
  if (!(quota > 0) || !(period > 0)) return 0;
  return static_cast<int>(std::min(std::ceil(quota / period), 4096.0));
}

// The process's own group first (a service with CPUQuota), then the root, which is what a container
// sees as its own.
int cgroup_quota() {
  const std::string root = "/sys/fs/cgroup";
  std::string own;
  std::istringstream lines(read_all("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("0::")) own = line.substr(3);
  for (std::string group : {own, std::string()}) {
    int quota = quota_of_cpu_max(read_all(root + group + "/cpu.max"));
    if (quota > 0) return quota;
  }
  double quota = 0, period = 0;
  std::istringstream(read_all(root + "/cpu/cpu.cfs_quota_us")) >> quota;
  std::istringstream(read_all(root + "/cpu/cpu.cfs_period_us")) >> period;
  return round_up(quota, period);
}

}  // namespace

int quota_of_cpu_max(const std::string& text) {
  double quota = 0, period = 0;
  std::istringstream stream(text);
  if (!(stream >> quota >> period)) return 0;
  return round_up(quota, period);
}

int available_threads() {
  int threads = omp_get_num_procs();
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) threads = CPU_COUNT(&mask);
  if (int quota = cgroup_quota(); quota > 0) threads = std::min(threads, quota);
  return std::max(threads, 1);
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

int team_size() {
  return omp_get_max_threads();
}

ThreadScope::ThreadScope(int threads) : before_(omp_get_max_threads()) {
  omp_set_num_threads(threads);
}

ThreadScope::~ThreadScope() {
  omp_set_num_threads(before_);
}

}  // namespace vultus::cpu
