#include <fmt/format.h>

#include <algorithm>

#include "gpu/ops/strided.hpp"
#include "gpu/recorder.hpp"
#include "gpu/view.hpp"

// Where values lie, and how kernels come by them.

namespace vultus::gpu {

namespace {

/// The channel at which `value` begins in the Concat's result, when it can be written there: whole
/// groups, once.
std::optional<int64_t> joined_channels(const Graph& graph, NodeId reader, ValueId value) {
  const Node& concat = graph.node(reader);
  const Value& result = graph.value(concat.outputs[0]);
  if (concat.op != "Concat" || result.shape.rank() != 4 || !fits_nhwc8(result) ||
      from_front(concat.integer("axis", 1), 4) != 1)
    return std::nullopt;
  std::optional<int64_t> found;
  int64_t at = 0;
  for (ValueId part : concat.inputs) {
    if (part == value && found) return std::nullopt;
    if (part == value) found = at;
    at += graph.shape(part)[1];
  }
  int64_t end = *found + graph.shape(value)[1];
  bool whole = *found % 8 == 0 && (end % 8 == 0 || end == result.shape[1]);
  return whole && graph.shape(value).elements() > 0 ? found : std::nullopt;
}

}  // namespace

Precision Recorder::precision_of(NodeId node) const {
  const bool kept = node >= 0 && std::ranges::binary_search(spec_.keep_fp32, node);
  return kept ? Precision::fp32 : spec_.precision;
}

BufferId Recorder::add_like(ValueId value, Layout layout) {
  const Value& v = graph_.value(value);
  return add_buffer(layout_bytes(v.shape, v.dtype, layout, precision_), v.name);
}

/// Makes a value of the other precision one of the present, by way of float32.
void Recorder::bring(ValueId value) {
  if (graph_.value(value).constant || !places(value).none()) return;
  const Precision wanted = precision_;
  const bool narrow = wanted == Precision::fp16;
  precision_ = narrow ? Precision::fp32 : Precision::fp16;
  Places found;
  if (const Places& other = places(value); !other.none()) {
    if (raw_is_linear(value))
      found.linear = input(value, Layout::linear);
    else
      found.raw = host_form(value);
  }
  precision_ = wanted;
  Places& at = places(value);
  const auto& from = found.linear ? found.linear : found.raw;
  if (!from) return;
  if (raw_is_linear(value))
    at.linear = ref(value, Layout::linear, from->buffer);
  else
    at.raw = raw_ref(value, from->buffer);
}

/// The value in float32, row-major, from where it lies in fp16.
TensorRef Recorder::host_form(ValueId value) {
  Places& at = places(value);
  if (at.raw) return *at.raw;
  BufferId buffer = add_buffer(static_cast<uint64_t>(graph_.shape(value).elements()) * 4,
                               graph_.value(value).name);
  TensorRef to = raw_ref(value, buffer);
  if (at.view && !at.linear && !at.nhwc8) {
    copy(*this, at.view->source, to, copy_of(*at.view, to, false));
  } else {
    TensorRef from = input(value, layout_of(value));
    relayout(from, form_of(from.layout), to, Form::raw);
  }
  at.raw = to;
  return to;
}

/// Of a value that `bring` has yet to bring.
Layout Recorder::layout_elsewhere(ValueId value) const {
  const bool image = precision_ == Precision::fp16 && fits_nhwc8(graph_.value(value)) &&
                     graph_.shape(value).rank() == 4;
  return image ? Layout::nhwc8 : Layout::linear;
}

Layout Recorder::layout_of(ValueId value) const {
  if (places(value).none() && !graph_.value(value).constant) return layout_elsewhere(value);
  const Places& at = places(value);
  if (at.nhwc8 && (!at.linear || graph_.shape(value).rank() == 4)) return Layout::nhwc8;
  if (at.view && !at.linear) return at.preferred;
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
  bring(value);
  Places& at = places(value);
  auto& wanted = layout == Layout::linear ? at.linear : at.nhwc8;
  if (wanted) return *wanted;
  if (graph_.value(value).constant) {
    upload_constant(value, layout);
    return wanted.value_or(TensorRef{});
  }
  if (at.view && !at.nhwc8 && !at.linear && can_fill(*at.view, layout)) {
    gather(value, layout);
    return wanted.value_or(TensorRef{});
  }
  if (at.view && !at.nhwc8 && !at.linear) gather(value, Layout::linear);
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
  wanted = ref(value, layout, add_like(value, layout));
  if (other)
    relayout(*other, form_of(other->layout), *wanted, form_of(layout));
  else
    relayout(*at.raw, Form::raw, *wanted, form_of(layout));
  return *wanted;
}

TensorRef Recorder::exact_input(ValueId value) {
  bring(value);
  if (raw_is_linear(value)) return input(value, Layout::linear);
  Places& at = places(value);
  if (graph_.constant(value) && !at.raw) at.raw = raw_ref(value, floats(constant_floats(value)));
  return host_form(value);
}

TensorRef Recorder::output(ValueId value, Layout layout) {
  const Value& v = graph_.value(value);
  if (layout == Layout::nhwc8 && !fits_nhwc8(v)) {
    fail(Errc::internal, fmt::format("{}: output '{}' of shape {} cannot lie in nhwc8", where(),
                                     v.name, v.shape.str()));
    return {};
  }
  auto& slot = layout == Layout::linear ? places(value).linear : places(value).nhwc8;
  slot = ref(value, layout, add_like(value, layout));
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

View Recorder::view(ValueId value) {
  bring(value);
  const Places& at = places(value);
  if (at.view && !at.linear && !at.nhwc8) return *at.view;
  bool host_form = at.raw && !at.linear && !at.nhwc8;
  View whole = view_of(host_form ? *at.raw : input(value, layout_of(value)));
  whole.same_order = value;
  return whole;
}

void Recorder::alias(ValueId output, View view, Layout preferred) {
  if (view.source.buffer < 0) return;  // the failure is already noted
  if (!(view.shape == graph_.shape(output)))
    fail(Errc::internal, fmt::format("{}: '{}' is no view of shape {}", where(),
                                     graph_.value(output).name, view.shape.str()));
  Places& at = places(output);
  view.dense = false;
  at.view = std::move(view);
  at.preferred = fits_nhwc8(graph_.value(output)) ? preferred : Layout::linear;
}

/// Copies the elements of a view together.
void Recorder::gather(ValueId value, Layout layout) {
  const View from = *places(value).view;
  if (layout == Layout::linear && from.same_order != kNoValue) {
    TensorRef source = input(from.same_order, Layout::linear);
    source.shape = from.shape;
    return alias(value, source);
  }
  TensorRef to = ref(value, layout, add_like(value, layout));
  copy(*this, from.source, to, copy_of(from, to, true));
  (layout == Layout::linear ? places(value).linear : places(value).nhwc8) = to;
}

PlacedRef Recorder::placed_output(ValueId value) {
  NodeId reader = only_reader_[static_cast<size_t>(value)];
  auto channels = reader < 0 ? std::nullopt : joined_channels(graph_, reader, value);
  ValueId joined = channels ? graph_.node(reader).outputs[0] : kNoValue;
  if (!channels || exact_[static_cast<size_t>(joined)] || precision_of(reader) != precision_)
    return {output(value, Layout::nhwc8), {}};
  TensorRef whole = places(joined).nhwc8 ? *places(joined).nhwc8 : output(joined, Layout::nhwc8);
  placed_[static_cast<size_t>(value)] = true;
  View part = view_of(whole);
  part.offset = *channels;
  part.shape = graph_.shape(value);
  part.axes[1].clear();
  if (part.shape[1] > 1) part.axes[1].push_back({part.shape[1], 1});
  alias(value, std::move(part), Layout::nhwc8);
  return {whole, {whole.groups(), static_cast<uint32_t>(*channels / 8)}};
}

std::optional<TensorRef> Recorder::host_output(ValueId value) {
  if (!exact_[static_cast<size_t>(value)]) return std::nullopt;
  if (raw_is_linear(value)) return output(value, Layout::linear);
  uint64_t bytes = static_cast<uint64_t>(graph_.shape(value).elements()) * 4;
  places(value).raw = raw_ref(value, add_buffer(bytes, graph_.value(value).name));
  return places(value).raw;
}

}  // namespace vultus::gpu
