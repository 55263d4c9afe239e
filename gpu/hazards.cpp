#include "gpu/hazards.hpp"

#include <algorithm>

namespace vultus::gpu {

namespace {

bool overlap(const std::vector<Range>& a, const std::vector<Range>& b) {
  return std::any_of(a.begin(), a.end(), [&](const Range& x) {
    return std::any_of(b.begin(), b.end(), [&](const Range& y) {
      return x.memory == y.memory && x.begin < y.end && y.begin < x.end &&
             !(x.begin == y.begin && are_apart(x.part, y.part));
    });
  });
}

}  // namespace

bool are_apart(const Stripe& a, const Stripe& b) {
  return a.period != 0 && a.period == b.period && (a.last <= b.first || b.last <= a.first);
}

bool HazardTracker::access(const std::vector<Range>& reads, const std::vector<Range>& writes) {
  bool hazard = overlap(reads, writes_) || overlap(writes, writes_) || overlap(writes, reads_);
  if (hazard) reset();
  reads_.insert(reads_.end(), reads.begin(), reads.end());
  writes_.insert(writes_.end(), writes.begin(), writes.end());
  return hazard;
}

void HazardTracker::reset() {
  reads_.clear();
  writes_.clear();
}

}  // namespace vultus::gpu
