#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gpu/ops/strided.hpp"
#include "gpu/recorder.hpp"
#include "host/core/half.hpp"

namespace vultus::gpu {

namespace {

std::vector<NodeId> only_readers(const Graph& graph, const PartitionSpec& spec) {
  std::vector<NodeId> only(graph.values.size(), -1);
  auto readers = graph.consumers();
  for (NodeId id : spec.nodes)
    for (ValueId v : graph.node(id).inputs)
      if (v != kNoValue && readers[static_cast<size_t>(v)].size() == 1)
        only[static_cast<size_t>(v)] = id;
  for (const auto* left : {&spec.outputs, &spec.exports})
    for (ValueId v : *left)
      only[static_cast<size_t>(v)] = -1;
  return only;
}

}  // namespace

void Recorder::find_exact() {
  exact_.resize(graph_.values.size());
  auto set = [&](const std::vector<ValueId>& values, bool exact) {
    for (ValueId v : values)
      if (v != kNoValue) exact_[static_cast<size_t>(v)] = exact;
  };
  auto each = [&](auto&& visit) {
    for (NodeId id : spec_.nodes)
      if (const GpuOp* op = find_gpu_op(graph_.node(id).op)) visit(graph_.node(id), *op);
  };
  set(spec_.outputs, true);
  each([&](const Node& node, const GpuOp& op) {
    if (op.exact_inputs) set(node.inputs, true);
  });
  set(spec_.exports, false);
  each([&](const Node& node, const GpuOp& op) {
    if (op.exact_results) set(node.outputs, true);
  });
  each([&](const Node& node, const GpuOp& op) {
    if (!op.exact_inputs) set(node.inputs, false);
  });
}

Result<Recording> Recorder::build() {
  find_exact();
  placed_.resize(graph_.values.size());
  only_reader_ = only_readers(graph_, spec_);
  declare_inputs();
  declare_imports();
  for (NodeId id : spec_.nodes) {
    node_ = id;
    precision_ = precision_of(id);
    const Node& node = graph_.node(id);
    const GpuOp* op = find_gpu_op(node.op);
    if (!op) return Error{Errc::internal, fmt::format("{}: no GPU kernel", describe(node))};
    op->build(*this, node);
    for (ValueId v : node.outputs)
      if (v != kNoValue && is_read(v) && places(v).none())
        fail(Errc::internal,
             fmt::format("{}: its kernel did not produce '{}'", where(), graph_.value(v).name));
    if (error_) return *error_;
  }
  read_outputs();
  export_values();
  if (error_) return *error_;
  return std::move(recording_);
}

void Recorder::declare_inputs() {
  for (ValueId v : spec_.inputs) {
    const Value& value = graph_.value(v);
    uint64_t bytes = static_cast<uint64_t>(value.shape.elements()) * raw_size_of(value.dtype);
    BufferId buffer = add_buffer(bytes, value.name);
    auto& info = recording_.buffers[static_cast<size_t>(buffer)];
    info.upload = true;
    info.offset = recording_.upload_bytes;
    recording_.uploads.push_back({v, info.offset});
    recording_.upload_bytes += align_up(info.bytes, context_.alignment());
    precision_ = spec_.precision;
    if (raw_is_linear(v))
      places(v).linear = ref(v, Layout::linear, buffer);
    else
      places(v).raw = raw_ref(v, buffer);
  }
}

void Recorder::declare_imports() {
  for (size_t i = 0; i < imports_.size(); ++i) {
    const Handover& from = imports_[i];
    auto& buffers = recording_.buffers;
    buffers.push_back({.bytes = from.bytes,
                       .import = static_cast<int>(i),
                       .name = graph_.value(from.value).name});
    precision_ = from.precision;
    auto& at =
        from.source.layout == Layout::linear ? places(from.value).linear : places(from.value).nhwc8;
    at = ref(from.value, from.source.layout, static_cast<BufferId>(buffers.size() - 1));
  }
}

void Recorder::read_outputs() {
  for (ValueId v : spec_.outputs) {
    node_ = graph_.value(v).producer;
    precision_ = precision_of(node_);
    if (raw_is_linear(v)) {
      recording_.downloads.push_back({v, input(v, Layout::linear)});
      continue;
    }
    recording_.downloads.push_back({v, host_form(v)});
  }
}

void Recorder::export_values() {
  for (ValueId v : spec_.exports) {
    node_ = graph_.value(v).producer;
    precision_ = precision_of(node_);
    if (const Places& at = places(v); at.raw && !at.linear && !at.nhwc8) {
      const TensorRef source = ref(v, Layout::linear, at.raw->buffer);
      recording_.exports.push_back({v, source, Precision::fp32});
      continue;
    }
    const TensorRef source = input(v, layout_of(v));
    recording_.exports.push_back({v, source, precision_});
  }
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
  if (precision_ == Precision::fp32) return floats(values);
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

/// Empty after a failure, which is noted.
std::vector<float> Recorder::constant_floats(ValueId value) {
  const Value& v = graph_.value(value);
  auto values = to_floats(v.constant->view());
  if (values) return *std::move(values);
  fail(Errc::internal, fmt::format("{}: constant '{}' {}", where(), v.name, values.error().what));
  return {};
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
  } else if (v.dtype == DType::u8) {
    buffer = add_constant({v.constant->bytes(), v.constant->size_bytes()}, where());
  } else {
    const std::vector<float> values = constant_floats(value);
    if (values.empty() && v.shape.elements() > 0) return;
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
  dispatch.precision = precision_;
  recording_.dispatches.push_back(std::move(dispatch));
}

void Recorder::dispatch(const ConvOffer& offer) {
  if (offer.tactics.size() == 1) return dispatch(offer.dispatch(0));
  Choice choice{offer.key, offer.tactics[0], offer.tactics[0], false, {}};
  size_t used = 0;
  if (auto kept = timings_ ? timings_->find(offer.key) : std::nullopt) {
    auto at = std::ranges::find(offer.tactics, *kept);
    choice.timed = at != offer.tactics.end();
    if (choice.timed) used = static_cast<size_t>(at - offer.tactics.begin());
  }
  choice.used = offer.tactics[used];
  if (timings_ && spec_.tuning == Tuning::measure && !choice.timed)
    for (size_t i = 1; i < offer.tactics.size(); ++i)
      choice.others.push_back({offer.tactics[i], offer.dispatch(i)});
  for (Choice::Alternative& other : choice.others)
    other.dispatch.precision = precision_;
  Dispatch chosen = offer.dispatch(used);
  chosen.choice = static_cast<int>(recording_.choices.size());
  recording_.choices.push_back(std::move(choice));
  dispatch(std::move(chosen));
}

Result<Recording> build_partition(const Context& context, const Graph& graph,
                                  const PartitionSpec& spec, ConvTimings* timings,
                                  std::span<const Handover> imports) {
  if (spec.tuning == Tuning::rules) timings = nullptr;
  VULTUS_TRY(Recording recording, Recorder(context, graph, spec, timings, imports).build());
  VULTUS_CHECK(check_accesses(recording, graph));
  schedule(recording);
  return recording;
}

}  // namespace vultus::gpu
