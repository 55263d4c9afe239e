#pragma once

#include <cstdint>
#include <string>

namespace vultus::test {

/// Counts what `operator new` is asked for, on any thread, between construction and `stop`.
/// Requests are told apart by who makes them: the first function on the stack that is not of the
/// C++ run time is either of this program, or of a library (a driver, a validation layer, oneDNN),
/// whose business it is. One at a time.
class AllocationCount {
 public:
  AllocationCount();
  ~AllocationCount() { stop(); }
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;
  void stop();
  int64_t ours() const;
  int64_t of_libraries() const;
  /// Where the first of ours came from: addresses for addr2line; empty when there was none.
  std::string first() const;
};

}  // namespace vultus::test
