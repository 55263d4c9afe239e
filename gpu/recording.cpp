#include "gpu/recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gpu/layout.hpp"
#include "gpu/ops/strided.hpp"
#include "host/core/half.hpp"
#include "host/ops/op.hpp"

namespace vultus::gpu {

namespace {

/// Source or destination of a relayout dispatch; numbers of shaders/relayout.comp.
enum class Form : uint32_t { linear, nhwc8, raw };

Form form_of(Layout layout) {
  return layout == Layout::linear ? Form::linear : Form::nhwc8;
}

class Recorder : public Builder {
 public:
  Recorder(const Context& context, const Graph& graph, const PartitionSpec& spec)
      : context_(context),
        graph_(graph),
        spec_(spec),
        places_(graph.values.size()),
        is_read_(graph.values.size()) {
    for (const Node& node : graph.nodes)
      for (ValueId v : node.inputs)
        if (v != kNoValue) is_read_[static_cast<size_t>(v)] = true;
    for (ValueId v : graph.outputs)
      is_read_[static_cast<size_t>(v)] = true;
  }

  Result<Recording> build();

  const Graph& graph() const override { return graph_; }
  Precision precision() const override { return spec_.precision; }
  const Caps& caps() const override { return context_.caps(); }
  bool is_read(ValueId value) const override { return is_read_[static_cast<size_t>(value)]; }
  Layout layout_of(ValueId value) const override;
  TensorRef input(ValueId value, Layout layout) override;
  TensorRef output(ValueId value, Layout layout) override;
  void alias(ValueId output, const TensorRef& source) override;
  BufferId weights(std::span<const float> values) override;
  BufferId floats(std::span<const float> values) override;
  BufferId integers(std::span<const int32_t> values) override;
  BufferId scratch(uint64_t bytes) override;
  void dispatch(Dispatch dispatch) override;

 private:
  /// Where a value lies; a value may lie in several forms at once.
  struct Places {
    std::optional<TensorRef> linear, nhwc8;
    std::optional<TensorRef> raw;  ///< row-major float32 whatever the precision: the host's form
  };

  void fail(Errc code, std::string what) {
    if (!error_) error_ = Error{code, std::move(what)};
  }
  std::string where() const { return node_ < 0 ? "partition" : describe(graph_.node(node_)); }
  Places& places(ValueId value) { return places_[static_cast<size_t>(value)]; }
  TensorRef ref(ValueId value, Layout layout, BufferId buffer) const {
    return {buffer, layout, graph_.value(value).dtype, graph_.shape(value)};
  }
  /// Floats are converted to the storage type only between host and device.
  bool raw_is_linear(ValueId value) const {
    return spec_.precision == Precision::fp32 || is_integer(graph_.value(value).dtype);
  }
  BufferId add_buffer(uint64_t bytes, std::string name);
  BufferId add_constant(std::span<const std::byte> bytes, std::string name);
  void upload_constant(ValueId value, Layout layout);
  void relayout(const TensorRef& from, Form source, const TensorRef& to, Form target);
  void declare_inputs();
  void read_outputs();

  const Context& context_;
  const Graph& graph_;
  const PartitionSpec& spec_;
  NodeId node_ = -1;
  std::vector<Places> places_;
  std::vector<bool> is_read_;
  Recording recording_;
  std::optional<Error> error_;
};

Result<Recording> Recorder::build() {
  declare_inputs();
  for (NodeId id : spec_.nodes) {
    node_ = id;
    const Node& node = graph_.node(id);
    const GpuOp* op = find_gpu_op(node.op);
    if (!op) return Error{Errc::internal, fmt::format("{}: no GPU kernel", describe(node))};
    op->build(*this, node);
    for (ValueId v : node.outputs)
      if (v != kNoValue && is_read(v) && !places(v).linear && !places(v).nhwc8)
        fail(Errc::internal,
             fmt::format("{}: its kernel did not produce '{}'", where(), graph_.value(v).name));
    if (error_) return *error_;
  }
  node_ = -1;
  read_outputs();
  if (error_) return *error_;
  return std::move(recording_);
}

void Recorder::declare_inputs() {
  for (ValueId v : spec_.inputs) {
    uint64_t bytes = static_cast<uint64_t>(graph_.shape(v).elements()) * 4;
    BufferId buffer = add_buffer(bytes, graph_.value(v).name);
    auto& info = recording_.buffers[static_cast<size_t>(buffer)];
    info.upload = true;
    info.offset = recording_.upload_bytes;
    recording_.uploads.push_back({v, info.offset});
    recording_.upload_bytes += align_up(info.bytes, context_.alignment());
    (raw_is_linear(v) ? places(v).linear : places(v).raw) = ref(v, Layout::linear, buffer);
  }
}

void Recorder::read_outputs() {
  for (ValueId v : spec_.outputs) {
    Places& at = places(v);
    node_ = graph_.value(v).producer;
    if (raw_is_linear(v)) {
      recording_.downloads.push_back({v, input(v, Layout::linear)});
      continue;
    }
    if (!at.raw) {
      if (!at.linear && !at.nhwc8 && !graph_.value(v).constant) {
        fail(Errc::internal, fmt::format("output '{}' is not computed here", graph_.value(v).name));
        return;
      }
      TensorRef from = input(v, layout_of(v));
      BufferId buffer =
          add_buffer(static_cast<uint64_t>(graph_.shape(v).elements()) * 4, graph_.value(v).name);
      TensorRef to = ref(v, Layout::linear, buffer);
      relayout(from, form_of(from.layout), to, Form::raw);
      at.raw = to;
    }
    recording_.downloads.push_back({v, *at.raw});
  }
}

Layout Recorder::layout_of(ValueId value) const {
  const Places& at = places_[static_cast<size_t>(value)];
  if (at.nhwc8 && (!at.linear || graph_.shape(value).rank() == 4)) return Layout::nhwc8;
  // From the host's floats either layout costs one dispatch: choose the one convolutions want.
  if (at.raw && !at.linear && graph_.shape(value).rank() == 4) return Layout::nhwc8;
  return Layout::linear;
}

TensorRef Recorder::input(ValueId value, Layout layout) {
  if (value == kNoValue || (layout == Layout::nhwc8 && !fits_nhwc8(graph_.value(value)))) {
    fail(Errc::internal,
         fmt::format("{}: asks for an input that it does not have in that layout", where()));
    return {};
  }
  Places& at = places(value);
  auto& wanted = layout == Layout::linear ? at.linear : at.nhwc8;
  if (wanted) return *wanted;
  if (graph_.value(value).constant) {
    upload_constant(value, layout);
    return wanted.value_or(TensorRef{});
  }
  const auto& other = layout == Layout::linear ? at.nhwc8 : at.linear;
  if (!other && !at.raw) {
    fail(Errc::internal, fmt::format("{}: input '{}' is computed by no kernel before it", where(),
                                     graph_.value(value).name));
    return {};
  }
  if (other && same_bytes(graph_.shape(value), other->layout, layout)) {
    wanted = ref(value, layout, other->buffer);
    return *wanted;
  }
  BufferId buffer = add_buffer(
      layout_bytes(graph_.shape(value), graph_.value(value).dtype, layout, spec_.precision),
      graph_.value(value).name);
  wanted = ref(value, layout, buffer);
  if (other)
    relayout(*other, form_of(other->layout), *wanted, form_of(layout));
  else
    relayout(*at.raw, Form::raw, *wanted, form_of(layout));
  return *wanted;
}

TensorRef Recorder::output(ValueId value, Layout layout) {
  const Value& v = graph_.value(value);
  if (layout == Layout::nhwc8 && !fits_nhwc8(v)) {
    fail(Errc::internal, fmt::format("{}: output '{}' of shape {} cannot lie in nhwc8", where(),
                                     v.name, v.shape.str()));
    return {};
  }
  BufferId buffer = add_buffer(layout_bytes(v.shape, v.dtype, layout, spec_.precision), v.name);
  auto& slot = layout == Layout::linear ? places(value).linear : places(value).nhwc8;
  slot = ref(value, layout, buffer);
  return *slot;
}

void Recorder::alias(ValueId output, const TensorRef& source) {
  if (source.buffer < 0) return;  // the failure is already noted
  TensorRef made = ref(output, source.layout, source.buffer);
  bool fits = made.shape.elements() == source.shape.elements() &&
              is_integer(made.dtype) == is_integer(source.dtype);
  if (fits && made.layout == Layout::nhwc8)
    fits = fits_nhwc8(graph_.value(output)) && made.n() == source.n() && made.c() == source.c() &&
           made.h() == source.h() && made.w() == source.w();
  if (!fits) {
    fail(Errc::internal,
         fmt::format("{}: '{}' of shape {} is not the same bytes as shape {}", where(),
                     graph_.value(output).name, made.shape.str(), source.shape.str()));
    return;
  }
  (made.layout == Layout::linear ? places(output).linear : places(output).nhwc8) = made;
}

BufferId Recorder::add_buffer(uint64_t bytes, std::string name) {
  // Kernels read and write whole groups of 8 elements: the last one may reach past the tensor.
  uint64_t padded = align_up(std::max<uint64_t>(bytes, 1), 32);
  if (padded > context_.caps().max_storage_range)
    fail(Errc::no_device,
         fmt::format(
             "{}: tensor '{}' takes {} bytes, {} lets a kernel see {}: use a smaller input, "
             "--precision fp16 or --device cpu",
             where(), name, padded, context_.report().name, context_.caps().max_storage_range));
  recording_.buffers.push_back({.bytes = padded, .empty = bytes == 0, .name = std::move(name)});
  return static_cast<BufferId>(recording_.buffers.size() - 1);
}

BufferId Recorder::add_constant(std::span<const std::byte> bytes, std::string name) {
  BufferId id = add_buffer(bytes.size(), std::move(name));
  auto& info = recording_.buffers[static_cast<size_t>(id)];
  info.constant = true;
  info.offset = align_up(recording_.constants.size(), context_.alignment());
  recording_.constants.resize(info.offset + info.bytes);
  std::copy(bytes.begin(), bytes.end(),
            recording_.constants.begin() + static_cast<std::ptrdiff_t>(info.offset));
  return id;
}

BufferId Recorder::weights(std::span<const float> values) {
  if (spec_.precision == Precision::fp32) return floats(values);
  std::vector<uint16_t> halves(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i]) && std::abs(values[i]) >= kHalfOverflow)
      fail(Errc::bad_model, fmt::format("{}: weight {} does not fit fp16: use --precision fp32",
                                        where(), values[i]));
    halves[i] = half_from_float(values[i]);
  }
  return add_constant(std::as_bytes(std::span(halves)), where());
}

BufferId Recorder::floats(std::span<const float> values) {
  return add_constant(std::as_bytes(values), where());
}

BufferId Recorder::integers(std::span<const int32_t> values) {
  return add_constant(std::as_bytes(values), where());
}

BufferId Recorder::scratch(uint64_t bytes) {
  return add_buffer(bytes, where() + " (temporary)");
}

void Recorder::upload_constant(ValueId value, Layout layout) {
  const Value& v = graph_.value(value);
  BufferId buffer = -1;
  if (is_integer(v.dtype)) {
    auto narrowed = narrow_integers(*v.constant);
    if (!narrowed) {
      fail(Errc::bad_model,
           fmt::format("{}: constant '{}' {}", where(), v.name, narrowed.error().what));
      return;
    }
    buffer = integers(*narrowed);
  } else {
    std::vector<float> values = to_floats(v.constant->view());
    buffer = weights(layout == Layout::linear ? values : to_nhwc8(values, v.shape));
  }
  (layout == Layout::linear ? places(value).linear : places(value).nhwc8) =
      ref(value, layout, buffer);
}

void Recorder::relayout(const TensorRef& from, Form source, const TensorRef& to, Form target) {
  struct Push {
    uint32_t elements, channels, pixels;
  } push{from.elements(), 0, 0};
  uint32_t groups = (from.elements() + 7) / 8;
  if (source == Form::nhwc8 || target == Form::nhwc8) {
    push.channels = from.c();
    push.pixels = from.h() * from.w();
    groups = from.n() * push.pixels * from.groups();
  }
  if (groups > 0) ++recording_.relayouts;
  Builder::dispatch("relayout", {static_cast<uint32_t>(source), static_cast<uint32_t>(target)},
                    push, {reads(from), writes(to)}, fold(groups));
}

void Recorder::dispatch(Dispatch dispatch) {
  // An empty tensor asks for no threads: nothing to do, and nobody reads what is not written.
  if (std::count(dispatch.threads.begin(), dispatch.threads.end(), 0u) > 0) return;
  if (dispatch.node < 0) dispatch.node = node_;
  recording_.dispatches.push_back(std::move(dispatch));
}

}  // namespace

Result<Recording> build_partition(const Context& context, const Graph& graph,
                                  const PartitionSpec& spec) {
  VULTUS_TRY(Recording recording, Recorder(context, graph, spec).build());
  VULTUS_CHECK(check_accesses(recording, graph));
  schedule(recording);
  return recording;
}

}  // namespace vultus::gpu
