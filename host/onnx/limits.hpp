#pragma once

#include <cstddef>
#include <cstdint>

namespace vultus {

// What the importer accepts. All far above any real network of this kind and low enough that a
// hostile file costs little.

inline constexpr int kMinOpset = 9;
inline constexpr int kMaxOpset = 22;
/// Protobuf cannot read more.
inline constexpr int64_t kMaxModelBytes = (int64_t{1} << 31) - 1;
/// Messages and strings of the file together; the largest of the nodes allowed below have fewer.
inline constexpr int kMaxMessages = 2'000'000;
inline constexpr int kMaxNodes = 100'000;
inline constexpr int kMaxInitializers = 100'000;
inline constexpr int kMaxInputsAndOutputs = 100'000;
inline constexpr size_t kMaxNameBytes = 4096;
/// All weights together, as held in memory; external data can be referred to many times.
inline constexpr int64_t kMaxWeightBytes = int64_t{8} << 30;

}  // namespace vultus
