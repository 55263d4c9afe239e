#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vultus {

/// The bytes of a model, wherever they are.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  /// Fills `out` from `offset`; false when there is less or it cannot be read.
  virtual bool read(uint64_t offset, std::span<std::byte> out) const = 0;
};

/// A part of a source; of none, when absent.
struct ByteRange {
  uint64_t offset = 0, size = 0;
};

/// A model without the raw bytes of its large initialisers: those go straight from the source into
/// tensors.
struct WithoutWeights {
  std::string bytes;           ///< a ModelProto in wire format
  std::vector<ByteRange> raw;  ///< by initialiser, in order; of size 0 where left in place
};

/// Takes raw data of 1 KiB and more out of a ModelProto. Nothing when it is not in plain order (a
/// tensor with two pieces of raw data, damaged bytes): such a file is parsed as it is.
std::optional<WithoutWeights> take_weights_out(const ByteSource& model);

}  // namespace vultus
