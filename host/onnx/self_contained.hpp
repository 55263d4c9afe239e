#pragma once

#include <string>

#include "host/core/result.hpp"

namespace vultus {

/// A model file's bytes with the weights that lie in files beside it put inside.
struct SelfContained {
  std::string bytes;      ///< the file's own where nothing lies beside it
  size_t brought_in = 0;  ///< initialisers
};

/// Only what concerns the file as a whole is checked, and that external data lie in its folder.
/// bad_model also when the result would be over 2 GiB.
Result<SelfContained> read_self_contained(const std::string& path);

}  // namespace vultus
