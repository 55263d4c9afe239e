#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "host/ops/op.hpp"
#include "host/run/device.hpp"

namespace vultus::test {

/// Shared bytes of a fake device.
struct FakeBytes : DeviceBytes {
  std::vector<std::byte> bytes;
  Result<void> write(std::span<const std::span<const std::byte>> parts) override {
    bytes.clear();
    for (const std::span<const std::byte> part : parts)
      bytes.insert(bytes.end(), part.begin(), part.end());
    return {};
  }
};

/// A third device behind the seam: runs a few operators through their plain kernels and counts what
/// crosses.
class FakeDevice : public Device {
 public:
  FakeDevice(DeviceKind kind, std::set<std::string> ops) : ops_(std::move(ops)) {
    info_.kind = kind;
    info_.name = kind == DeviceKind::gpu ? "fake gpu" : "fake cpu";
  }
  const DeviceInfo& info() const override { return info_; }
  Support supports(const Graph&, const Node& node, Precision) const override {
    return ops_.contains(node.op) ? Support::yes()
                                  : Support::no(node.op + ": the fake has no kernel");
  }
  Result<std::unique_ptr<Partition>> compile(const Graph& graph,
                                             const PartitionSpec& spec) override;
  Result<std::unique_ptr<DeviceBytes>> share(size_t) override {
    return std::unique_ptr<DeviceBytes>(std::make_unique<FakeBytes>());
  }

  /// What `profile` says of every node.
  double node_ms = 2;
  /// What it says of the changes of layout before and after the nodes, per million elements.
  double relayout_ms = 0;
  int profiles = 0;                ///< timed runs so far
  std::set<std::string> uploaded;  ///< names of inputs that were given
  /// Called with the partition's nodes when it is submitted; an error fails it.
  std::function<Result<void>(const std::vector<NodeId>&)> on_submit;

 private:
  DeviceInfo info_;
  std::set<std::string> ops_;
};

class FakePartition : public Partition {
 public:
  FakePartition(const Graph& graph, PartitionSpec spec, FakeDevice& device)
      : graph_(graph), spec_(std::move(spec)), device_(device) {}
  Result<void> upload(ValueId input, const TensorView& data) override {
    Tensor copy(data.dtype, data.shape);
    std::copy(data.bytes, data.bytes + data.size_bytes(), copy.bytes());
    tensors_.insert_or_assign(input, std::move(copy));
    device_.uploaded.insert(graph_.value(input).name);
    return {};
  }
  Result<void> submit() override {
    for (const PartitionSpec::Shared& shared : spec_.shared) {
      Tensor copy(graph_.value(shared.value).dtype, graph_.shape(shared.value));
      std::ranges::copy(dynamic_cast<const FakeBytes&>(*shared.bytes).bytes, copy.bytes());
      tensors_.insert_or_assign(shared.value, std::move(copy));
    }
    if (device_.on_submit) VULTUS_CHECK(device_.on_submit(spec_.nodes));
    for (NodeId n : spec_.nodes) {
      const Node& node = graph_.node(n);
      Eval eval{node, {}, {}};
      for (ValueId v : node.inputs)
        eval.in.push_back(graph_.value(v).constant ? graph_.value(v).constant->view()
                                                   : tensors_.at(v).view());
      ValueId out = node.outputs[0];
      tensors_.insert_or_assign(out, Tensor(graph_.value(out).dtype, graph_.shape(out)));
      eval.out.push_back(tensors_.at(out).view());
      VULTUS_CHECK(evaluate(*find_op(node.op), eval));
    }
    return {};
  }
  Result<void> wait() override { return {}; }
  Result<void> download(ValueId output, Tensor& out) override {
    out = tensors_.at(output).clone();
    return {};
  }
  PartitionStats stats() const override {
    PartitionStats s;
    s.dispatches = static_cast<int64_t>(spec_.nodes.size());
    s.upload_bytes = s.download_bytes = 4;
    return s;
  }
  Result<std::vector<StepTime>> profile() override {
    ++device_.profiles;
    std::vector<StepTime> steps;
    auto move = [&](const std::vector<ValueId>& values, NodeId node) {
      for (ValueId v : values)
        if (device_.relayout_ms > 0)
          steps.push_back(
              {node, "relayout", 1,
               device_.relayout_ms * 1e-6 * static_cast<double>(graph_.shape(v).elements())});
    };
    move(spec_.inputs, spec_.nodes.front());
    for (NodeId n : spec_.nodes)
      steps.push_back({n, "fake", 1, device_.node_ms, 3});
    move(spec_.outputs, spec_.nodes.back());
    return steps;
  }

 private:
  const Graph& graph_;
  PartitionSpec spec_;
  FakeDevice& device_;
  std::map<ValueId, Tensor> tensors_;
};

inline Result<std::unique_ptr<Partition>> FakeDevice::compile(const Graph& graph,
                                                              const PartitionSpec& spec) {
  return std::unique_ptr<Partition>(new FakePartition(graph, spec, *this));
}

/// x -> Relu a -> Abs b -> Neg c and x -> Neg d -> Abs e; the outputs are both ends.
inline Graph two_branches() {
  Graph graph;
  ValueId x = graph.add_value("x", DType::f32, {4});
  graph.inputs = {x};
  auto unary = [&](const char* op, ValueId in, const char* out) {
    ValueId v = graph.add_value(out, DType::f32, {4});
    graph.value(v).producer = static_cast<NodeId>(graph.nodes.size());
    graph.nodes.push_back({out, op, 18, {}, {in}, {v}});
    return v;
  };
  ValueId a = unary("Relu", x, "a");
  ValueId b = unary("Abs", a, "b");
  ValueId c = unary("Neg", b, "c");
  ValueId d = unary("Neg", x, "d");
  ValueId e = unary("Abs", d, "e");
  graph.outputs = {c, e};
  return graph;
}

}  // namespace vultus::test
