#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vultus {

/// A model without the raw bytes of its large initialisers: parsing would copy them once more.
struct WithoutWeights {
  std::string bytes;  ///< a ModelProto in wire format
  /// By initialiser, in order, into the original; empty for those that were left in place.
  std::vector<std::span<const std::byte>> raw;
};

/// Takes raw data of 1 KiB and more out of the bytes of a ModelProto. Nothing when they are not in
/// plain order (a tensor with two pieces of raw data, damaged bytes): such a file is parsed as it
/// is.
std::optional<WithoutWeights> take_weights_out(std::span<const std::byte> model);

}  // namespace vultus
