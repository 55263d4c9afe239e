#pragma once

#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/conv_timings.hpp"
#include "gpu/cooperative.hpp"
#include "host/core/result.hpp"
#include "host/graph/graph.hpp"
#include "host/run/device.hpp"

namespace vultus::gpu {

/// How a tensor lies in its buffer. Elements are float16 or float32 (the precision of the node that
/// is built); booleans are 0 or 1 of the same type; i32 and i64 tensors are 32-bit integers and
/// always `linear`.
enum class Layout : uint8_t {
  linear,  ///< row-major, no padding
  nhwc8,   ///< [N,C,H,W] (rank 4; rank 2 [N,C] with H = W = 1) stored as N, H, W, C with C padded
           ///< to 8. The padding lanes are zero: every kernel that writes nhwc8 writes them so.
};

using BufferId = int32_t;

/// A value as kernels see it while a partition is built.
struct TensorRef {
  BufferId buffer = -1;
  Layout layout = Layout::linear;
  DType dtype = DType::f32;
  Shape shape;       ///< the ONNX shape
  bool raw = false;  ///< `linear` in the host's form: float32 whatever the precision

  uint32_t n() const { return static_cast<uint32_t>(shape[0]); }
  uint32_t c() const { return static_cast<uint32_t>(shape[1]); }
  uint32_t h() const { return shape.rank() == 4 ? static_cast<uint32_t>(shape[2]) : 1; }
  uint32_t w() const { return shape.rank() == 4 ? static_cast<uint32_t>(shape[3]) : 1; }
  uint32_t groups() const { return (c() + 7) / 8; }  ///< 8-channel groups of a pixel (nhwc8)
  uint32_t elements() const { return static_cast<uint32_t>(shape.elements()); }
};

/// Where the groups of a tensor lie in the pixels of a wider one (nhwc8): how many groups such a
/// pixel has, and the first that is the tensor's. 0 groups: the tensor is alone in its buffer.
struct Place {
  uint32_t groups = 0, first = 0;
};
struct PlacedRef {
  TensorRef tensor;
  Place place;
};

/// A tensor of `shape` that lies scattered in the buffer of another one.
struct View {
  /// `size` elements, `stride` elements of the buffer apart; a stride may be 0 or negative.
  struct Run {
    int64_t size = 1, stride = 0;
  };
  TensorRef source;
  Shape shape;
  int64_t offset = 0;                  ///< of the first element
  std::vector<std::vector<Run>> axes;  ///< of every ONNX axis, outermost first; no runs of one
  ValueId same_order = kNoValue;       ///< a value with the same elements in the same order
  bool dense = false;                  ///< all of `source`, as it is
};

enum class Access : uint8_t { read, write, read_write };
/// Which bytes of a buffer: of every `period` those from `first` up to `last`. 0: all of them.
struct Stripe {
  uint64_t period = 0, first = 0, last = 0;
};
struct Binding {
  BufferId buffer;
  Access access;
  Stripe part = {};
};
inline Binding reads(const TensorRef& t) {
  return {t.buffer, Access::read};
}
inline Binding writes(const TensorRef& t) {
  return {t.buffer, Access::write};
}

/// One kernel invocation. `bindings` are set 0, binding 0, 1, ...; `spec` are specialisation
/// constants 0, 1, ...; `push` is checked against the size the SPIR-V declares. `threads` are
/// invocations wanted in x, y, z: the number of workgroups follows from the kernel's local size, so
/// a kernel must test its bounds.
struct Dispatch {
  NodeId node = -1;
  std::string kernel;  ///< file name of the shader without extension: "unary"
  std::vector<uint32_t> spec;
  std::vector<uint8_t> push;
  std::vector<Binding> bindings;
  std::array<uint32_t, 3> threads{1, 1, 1};
  uint32_t subgroup_size = 0;  ///< pinned, and every subgroup full; 0: whatever the driver takes
  int choice = -1;             ///< index into Recording::choices; -1: no other kernel does it
  Precision precision = Precision::fp32;  ///< set by the builder: that of the node
};

template <class Push>
std::vector<uint8_t> bytes_of(const Push& push) {
  static_assert(sizeof(Push) <= 128 && std::is_trivially_copyable_v<Push>);
  std::vector<uint8_t> bytes(sizeof(Push));
  std::memcpy(bytes.data(), &push, sizeof(Push));
  return bytes;
}

/// A convolution and what can compute it.
struct ConvOffer {
  ConvKey key;
  std::vector<ConvTactic> tactics;                  ///< the rule's first
  std::function<Dispatch(size_t tactic)> dispatch;  ///< all with the same bindings
};

/// What operators may ask of the device.
struct Caps {
  uint32_t subgroup_size = 0;
  bool subgroup_size_control = false;  ///< Dispatch::subgroup_size may be set
  bool software = false;
  bool storage16 = false;  ///< 16-bit storage buffers: without it only fp32 is offered
  uint64_t max_storage_range = 128u << 20;
  uint32_t max_workgroups[3] = {65535, 65535, 65535};
  uint32_t max_shared_bytes = 16384;
  uint32_t max_invocations = 128;          ///< of a workgroup that is a row
  uint32_t max_workgroup_subgroups = ~0u;  ///< where their size is pinned
  uint32_t cores = 1;                      ///< DeviceClass
  bool staging = false;                    ///< DeviceClass
  Cooperative cooperative = Cooperative::none;
  ConvForce force = {};
};

/// Handed to an operator's `build`: declares its buffers and dispatches. Nothing is recorded yet,
/// so nothing here can fail on the device; barriers, memory and descriptors follow from the
/// bindings.
class Builder {
 public:
  virtual ~Builder() = default;
  virtual const Graph& graph() const = 0;
  /// Of the node being built: the storage type of what it reads and writes.
  virtual Precision precision() const = 0;
  virtual const Caps& caps() const = 0;

  /// Whether a node or the caller reads the value.
  virtual bool is_read(ValueId value) const = 0;
  /// The layout a value has now (constants: the one that costs least, linear).
  virtual Layout layout_of(ValueId value) const = 0;
  /// The value in that layout; adds a `relayout` dispatch (once per value and layout) when it lies
  /// otherwise, and uploads constants, already in that layout.
  virtual TensorRef input(ValueId value, Layout layout) = 0;
  /// The value row-major in float32 (or 32-bit integers) whatever the precision: for coordinates.
  virtual TensorRef exact_input(ValueId value) = 0;
  /// A fresh buffer for an output of the node being built.
  virtual TensorRef output(ValueId value, Layout layout) = 0;
  /// The output is the same bytes as `source` under another shape (Reshape, Squeeze...). No
  /// dispatch.
  virtual void alias(ValueId output, const TensorRef& source) = 0;

  /// Where the value's elements are; kernels that walk strides read it without a copy. Adds no
  /// dispatch. May lie in the host's form.
  virtual View view(ValueId value) = 0;
  /// The output's elements are those of `view`. They are copied, once per layout, when a kernel
  /// asks for the value with `input`; `preferred` is its `layout_of` until then.
  virtual void alias(ValueId output, View view, Layout preferred) = 0;
  /// An output in nhwc8 for kernels that can write it in place of a Concat's result, when that is
  /// all that reads it.
  virtual PlacedRef placed_output(ValueId value) = 0;
  /// Whether `value` was written into its place of this Concat's result.
  virtual bool is_placed(ValueId value) const = 0;
  /// For an output that the host or operators of `exact_inputs` read and nobody else: a buffer in
  /// the host's form, which saves the conversion and keeps float32 whatever the precision. Nothing
  /// when other kernels read it as well.
  virtual std::optional<TensorRef> host_output(ValueId value) = 0;

  /// Weights: stored in the node's precision, in the order given. Padded to a multiple of 16
  /// bytes.
  virtual BufferId weights(std::span<const float> values) = 0;
  /// Always float32 (biases, scales) or 32-bit integers, whatever the precision.
  virtual BufferId floats(std::span<const float> values) = 0;
  virtual BufferId integers(std::span<const int32_t> values) = 0;
  /// Temporary memory that lives from the first to the last dispatch that names it.
  virtual BufferId scratch(uint64_t bytes) = 0;

  virtual void dispatch(Dispatch dispatch) = 0;
  /// The tactic that was timed to be the fastest, where the partition's tuning says so, else the
  /// rule's.
  virtual void dispatch(const ConvOffer& offer) = 0;

  template <class Push>
  void dispatch(std::string kernel, std::vector<uint32_t> spec, const Push& push,
                std::vector<Binding> bindings, std::array<uint32_t, 3> threads) {
    dispatch(
        {-1, std::move(kernel), std::move(spec), bytes_of(push), std::move(bindings), threads});
  }
};

/// A GPU kernel family for one ONNX operator (or several names). Each file gpu/ops/<op>.cpp
/// registers its own.
struct GpuOp {
  std::string_view name;
  /// May assume that the host operator's shape inference has accepted the node.
  Support (*supports)(const Graph&, const Node&, const Caps&) = nullptr;
  void (*build)(Builder&, const Node&) = nullptr;
  bool reads_bytes = false;  ///< inputs of type u8, packed four to a word
  /// Results that fp16 cannot hold: with it the node is only taken where the host and operators of
  /// `exact_inputs` alone read them.
  bool exact_results = false;
  bool exact_inputs = false;  ///< floats are read with `exact_input` and in no other way
};
const GpuOp* find_gpu_op(std::string_view name);

struct RegisterGpu {
  explicit RegisterGpu(const GpuOp& op);
};

}  // namespace vultus::gpu
