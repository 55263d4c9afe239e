#pragma once

#include "gpu/layout.hpp"
#include "gpu/recording.hpp"
#include "host/ops/op.hpp"

namespace vultus::gpu {

/// Source or destination of a relayout dispatch; numbers of shaders/relayout.comp.
enum class Form : uint32_t { linear, nhwc8, raw };

inline Form form_of(Layout layout) {
  return layout == Layout::linear ? Form::linear : Form::nhwc8;
}

/// The Builder behind build_partition.
class Recorder : public Builder {
 public:
  Recorder(const Context& context, const Graph& graph, const PartitionSpec& spec,
           ConvTimings* timings, std::span<const Handover> imports)
      : context_(context),
        graph_(graph),
        spec_(spec),
        timings_(timings),
        imports_(imports),
        precision_(spec.precision),
        places_{std::vector<Places>(graph.values.size()), std::vector<Places>(graph.values.size())},
        is_read_(graph.values.size()) {
    for (const Node& node : graph.nodes)
      for (ValueId v : node.inputs)
        if (v != kNoValue) is_read_[static_cast<size_t>(v)] = true;
    for (ValueId v : graph.outputs)
      is_read_[static_cast<size_t>(v)] = true;
  }

  Result<Recording> build();

  const Graph& graph() const override { return graph_; }
  Precision precision() const override { return precision_; }
  const Caps& caps() const override { return context_.caps(); }
  bool is_read(ValueId value) const override { return is_read_[static_cast<size_t>(value)]; }
  Layout layout_of(ValueId value) const override;
  TensorRef input(ValueId value, Layout layout) override;
  TensorRef exact_input(ValueId value) override;
  TensorRef output(ValueId value, Layout layout) override;
  void alias(ValueId output, const TensorRef& source) override;
  View view(ValueId value) override;
  void alias(ValueId output, View view, Layout preferred) override;
  PlacedRef placed_output(ValueId value) override;
  bool is_placed(ValueId value) const override { return placed_[static_cast<size_t>(value)]; }
  std::optional<TensorRef> host_output(ValueId value) override;
  BufferId weights(std::span<const float> values) override;
  BufferId floats(std::span<const float> values) override;
  BufferId integers(std::span<const int32_t> values) override;
  BufferId scratch(uint64_t bytes) override;
  void dispatch(Dispatch dispatch) override;
  void dispatch(const ConvOffer& offer) override;

 private:
  /// Where a value lies; a value may lie in several forms at once.
  struct Places {
    std::optional<TensorRef> linear, nhwc8;
    std::optional<TensorRef> raw;  ///< row-major float32 whatever the precision: the host's form
    std::optional<View> view;      ///< in the buffer of another value
    Layout preferred = Layout::linear;  ///< of a view

    bool none() const { return !linear && !nhwc8 && !raw && !view; }
  };

  void fail(Errc code, std::string what) {
    if (!error_) error_ = Error{code, std::move(what)};
  }
  std::string where() const { return node_ < 0 ? "partition" : describe(graph_.node(node_)); }
  /// Where a value lies in the present precision.
  Places& places(ValueId value) {
    return places_[static_cast<size_t>(precision_)][static_cast<size_t>(value)];
  }
  const Places& places(ValueId value) const {
    return places_[static_cast<size_t>(precision_)][static_cast<size_t>(value)];
  }
  Precision precision_of(NodeId node) const;
  void bring(ValueId value);
  TensorRef host_form(ValueId value);
  Layout layout_elsewhere(ValueId value) const;
  BufferId add_like(ValueId value, Layout layout);
  TensorRef ref(ValueId value, Layout layout, BufferId buffer) const {
    return {buffer, layout, graph_.value(value).dtype, graph_.shape(value)};
  }
  TensorRef raw_ref(ValueId value, BufferId buffer) const {
    return {buffer, Layout::linear, graph_.value(value).dtype, graph_.shape(value), true};
  }
  /// Floats are converted to the storage type only between host and device.
  bool raw_is_linear(ValueId value) const {
    const DType dtype = graph_.value(value).dtype;
    return precision_ == Precision::fp32 || is_integer(dtype) || dtype == DType::u8;
  }
  BufferId add_buffer(uint64_t bytes, std::string name);
  BufferId add_constant(std::span<const std::byte> bytes, std::string name);
  std::vector<float> constant_floats(ValueId value);
  void upload_constant(ValueId value, Layout layout);
  void gather(ValueId value, Layout layout);
  void relayout(const TensorRef& from, Form source, const TensorRef& to, Form target);
  void declare_inputs();
  void declare_imports();
  void find_exact();
  void read_outputs();
  void export_values();

  const Context& context_;
  const Graph& graph_;
  const PartitionSpec& spec_;
  ConvTimings* timings_;  ///< null: by the rules
  std::span<const Handover> imports_;
  NodeId node_ = -1;
  Precision precision_;                        ///< of the node being built
  std::array<std::vector<Places>, 2> places_;  ///< by precision and value
  std::vector<bool> is_read_;
  std::vector<bool> exact_;          ///< what the host or operators of exact inputs alone read
  std::vector<bool> placed_;         ///< written into the result of the Concat that reads them
  std::vector<NodeId> only_reader_;  ///< of every value: in this partition and nowhere else, or -1
  Recording recording_;
  std::optional<Error> error_;
};

}  // namespace vultus::gpu
