#pragma once

#include <cstdint>

namespace vultus {

/// Calls call(body, begin, end) as `parallel_for` does.
void run_pieces(int64_t n, int64_t cost, const void* body,
                void (*call)(const void*, int64_t, int64_t));

/// Calls body(begin, end) for pieces that together cover 0..n-1, on several threads when n times
/// `cost` (elementary operations per item) is worth it. The body must not throw. Allocates nothing.
template <class Body>
void parallel_for(int64_t n, int64_t cost, const Body& body) {
  run_pieces(n, cost, &body, [](const void* at, int64_t begin, int64_t end) {
    (*static_cast<const Body*>(at))(begin, end);
  });
}

}  // namespace vultus
