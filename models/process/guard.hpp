#pragma once

#include <exception>
#include <utility>

#include "host/core/result.hpp"

namespace vultus {

/// What an exception says: out_of_memory where memory, threads or descriptors ran out, else
/// internal.
Error error_of(const std::exception& thrown);

/// The Result that `work` returns; an exception that it throws becomes an Error.
template <class Work>
auto guarded(Work&& work) -> decltype(work()) {
  try {
    return std::forward<Work>(work)();
  } catch (const std::exception& thrown) {
    return error_of(thrown);
  }
}

}  // namespace vultus
