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

/// The lower of two quotas, of which 0 is none.
int lower(int a, int b) {
  return a > 0 && b > 0 ? std::min(a, b) : std::max(a, b);
}

/// The quota in one folder of version 2 or 1.
int quota_in(const std::string& folder) {
  double quota = 0, period = 0;
  std::istringstream(read_all(folder + "/cpu.cfs_quota_us")) >> quota;
  std::istringstream(read_all(folder + "/cpu.cfs_period_us")) >> period;
  return lower(quota_of_cpu_max(read_all(folder + "/cpu.max")), round_up(quota, period));
}

/// The lowest quota of a group and all groups around it, `root` included. A container may see the
/// path that its group has outside: folders that are absent do not count.
int quota_along(const std::string& root, std::string group) {
  int quota = quota_in(root);
  while (group.size() > 1) {
    quota = lower(quota, quota_in(root + group));
    group.resize(group.rfind('/'));
  }
  return quota;
}

}  // namespace

int quota_of_groups(const std::string& root, const std::string& groups) {
  int quota = 0;
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    // "0::/group" of version 2, "4:cpu,cpuacct:/group" of version 1.
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (!group.starts_with('/')) continue;
    if (controllers.empty())
      quota = lower(quota, quota_along(root, group));
    else if (("," + controllers + ",").find(",cpu,") != std::string::npos)
      for (const std::string& folder : {std::string("cpu"), controllers})
        quota = lower(quota, quota_along(root + "/" + folder, group));
  }
  return quota;
}

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
  int quota = quota_of_groups("/sys/fs/cgroup", read_all("/proc/self/cgroup"));
  if (quota > 0) threads = std::min(threads, quota);
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
