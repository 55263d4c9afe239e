#pragma once

#include <cstdint>
#include <functional>

namespace vultus {

/// Calls body(begin, end) for pieces that together cover 0..n-1, on several threads when n times
/// `cost` (elementary operations per item) is worth it. The body must not throw.
void parallel_for(int64_t n, int64_t cost, const std::function<void(int64_t, int64_t)>& body);

}  // namespace vultus
