#pragma once

#include <cstddef>
#include <cstdint>

namespace vultus::torch {

// What the reader of checkpoints accepts. All far above any checkpoint of a network that runs here,
// and low enough that a hostile file costs little.

inline constexpr int64_t kMaxFileBytes = int64_t{2} << 30;
/// The description alone; the numbers are elsewhere. STAR's has 166 kB.
inline constexpr size_t kMaxPickleBytes = size_t{16} << 20;
/// Python objects that one description may make; STAR's makes 20,000.
inline constexpr size_t kMaxObjects = 1'000'000;
inline constexpr size_t kMaxTensors = 100'000;
/// Dictionaries and lists inside each other.
inline constexpr int kMaxDepth = 16;
inline constexpr size_t kMaxNameBytes = 1024;
inline constexpr int64_t kMaxRecords = 200'000;
/// One tensor as held in memory: strides of zero can make a big one of a small file.
inline constexpr int64_t kMaxTensorBytes = int64_t{1} << 30;

}  // namespace vultus::torch
