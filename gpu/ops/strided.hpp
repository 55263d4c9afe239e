#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "gpu/builder.hpp"
#include "gpu/layout.hpp"

namespace vultus::gpu {

/// Most loop levels a strided kernel takes, after levels that run on have been merged.
inline constexpr size_t kMaxLevels = 6;

/// One loop level of a strided kernel: its length, and how far each operand moves per step. Strides
/// are in elements of the operand's buffer; 0 repeats, negative runs backwards.
struct Level {
  int64_t size = 1;
  std::array<int64_t, 4> stride{};
};
/// Outermost first.
using Levels = std::vector<Level>;

/// Channels as stored in nhwc8: a multiple of 8.
inline int64_t stored_channels(const TensorRef& t) {
  return int64_t{t.groups()} * 8;
}
/// Stride of every ONNX axis in elements of the buffer.
std::vector<int64_t> strides_of(const TensorRef& t);
/// ONNX axes in the order they lie in memory, outermost first: nhwc8 ends with the channels.
std::vector<int> axes_in_memory(Layout layout, int rank);

/// Drops levels of length 1 and merges neighbours that every operand walks without a jump. The last
/// level stays as it is when `keep_last`. At least one level is left.
void merge(Levels& levels, bool keep_last = false);

/// Threads for a kernel that folds its index over x and y (common/index.glsl).
std::array<uint32_t, 3> fold(uint64_t threads);

/// `levels` as the fixed arrays of a push constant; the rest is 1 and 0.
std::array<uint32_t, kMaxLevels> sizes_of(const Levels& levels);
std::array<int32_t, kMaxLevels> strides_of(const Levels& levels, size_t operand);

/// What `copy` moves. Operand 0 of the levels is the source, operand 1 the target. Levels follow
/// the target's memory order, so the last one is the channels of an nhwc8 target.
struct Copy {
  Levels levels;
  int64_t from = 0;  ///< first element read
  int64_t to = 0;    ///< first element written
  /// Steps of the last level that have a source; zero is written beyond them (padding lanes).
  /// Negative: all of them.
  int64_t valid = -1;
};
/// One dispatch; moves whole groups of 8 elements where the strides allow it.
void copy(Builder& b, const TensorRef& source, const TensorRef& target, Copy what);
/// Copies from several sources into places of one target that do not overlap; one dispatch for
/// every `kMostSources` of them.
struct Part {
  TensorRef source;
  Copy what;
};
inline constexpr size_t kMostSources = 6;
void copy_all(Builder& b, std::vector<Part> parts, const TensorRef& target);
/// Levels of a copy of all of `shape` between tensors that use the given strides per ONNX axis,
/// ordered for `target`. The caller sets offsets; padding lanes of the target are zeroed when
/// `pad` and `target` ends there.
Copy copy_of(const Shape& shape, const std::vector<int64_t>& from_strides, const TensorRef& target,
             bool pad);

/// The same for a view. Needs `can_fill`.
Copy copy_of(const View& from, const TensorRef& target, bool pad);
/// Whether one copy can write the view in that layout, padding lanes included: its channels must
/// not be spread over several runs.
bool can_fill(const View& from, Layout layout);

/// The value where it lies: no conversion.
TensorRef as_it_lies(Builder& b, ValueId value);

/// A constant list of i64 or i32; empty when the value is absent or computed at run time.
std::vector<int64_t> constant_integers(const Graph& graph, ValueId value);
/// `axis` counted from the front.
inline int from_front(int64_t axis, int rank) {
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

/// Reasons why kernels of this folder refuse a node: element types other than float, bool, int32
/// and int64, empty tensors, ranks above `kMaxLevels`. `integers` false refuses those too.
Support plain_tensors(const Graph& graph, const Node& node, bool integers);

}  // namespace vultus::gpu
