#pragma once

#include <cstdint>
#include <vector>

#include "gpu/builder.hpp"

namespace vultus::gpu {

/// Bytes [begin, end) of one memory block; of every period from `begin` on only those of `part`.
struct Range {
  int memory = 0;  ///< which block: ranges of different blocks never meet
  uint64_t begin = 0;
  uint64_t end = 0;
  Stripe part = {};
};

/// Whether parts of the same bytes have none in common: equal periods, no common place in them.
bool are_apart(const Stripe& a, const Stripe& b);

/// Decides where a barrier is needed. Works on bytes, not on tensors, so two tensors that share
/// arena memory at different times are ordered like any other conflict. One barrier orders
/// everything before it with everything after.
class HazardTracker {
 public:
  /// Whether a command with these accesses must wait for an earlier one since the last barrier:
  /// read after write, write after read or write after write. Records the accesses; when it returns
  /// true, as the first ones after the barrier that the caller must now record.
  bool access(const std::vector<Range>& reads, const std::vector<Range>& writes);
  /// Everything so far is ordered.
  void reset();

 private:
  std::vector<Range> reads_, writes_;
};

}  // namespace vultus::gpu
