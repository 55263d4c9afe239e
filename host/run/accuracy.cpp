#include "host/run/accuracy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "host/run/error_sum.hpp"

namespace vultus {

namespace {

constexpr double kLargestHalf = 65504;
constexpr double kMargin = 2;

/// The graph with every float value that a node computes among its outputs, the own ones first.
Graph with_all_outputs(const Graph& graph) {
  Graph all = graph;
  for (const Node& node : graph.nodes)
    for (ValueId v : node.outputs)
      if (v != kNoValue && graph.value(v).dtype == DType::f32 && !graph.is_output(v))
        all.outputs.push_back(v);
  return all;
}

Result<Session> run_once(Graph graph, const SessionOptions& options,
                         const std::map<std::string, Tensor>& inputs) {
  VULTUS_TRY(Session session, Session::from_graph(std::move(graph), options));
  for (const auto& [name, tensor] : inputs)
    VULTUS_CHECK(session.set_input(name, tensor.view()));
  VULTUS_CHECK(session.run());
  return session;
}

ValueError compare(const Tensor& got, const Tensor& wanted) {
  ValueError e;
  const auto a = got.as<float>(), b = wanted.as<float>();
  ErrorSum sum;
  const size_t count = std::min(a.size(), b.size());
  for (size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    if (!std::isfinite(y)) ++e.reference_non_finite;
    if (!std::isfinite(x)) ++e.non_finite;
    if (!std::isfinite(x) || !std::isfinite(y)) continue;
    e.largest = std::max(e.largest, std::abs(y));
    sum.add(std::abs(x - y), std::abs(y));
  }
  e.max_abs = sum.max_abs();
  e.rel_l2 = sum.rel_l2();
  return e;
}

/// Of two sessions of `with_all_outputs(graph)`.
Result<std::vector<ValueError>> compare(const Graph& graph, const Session& got,
                                        const Session& wanted) {
  std::map<ValueId, size_t> output_of;
  for (size_t i = 0; i < wanted.graph().outputs.size(); ++i)
    output_of[wanted.graph().outputs[i]] = i;
  std::vector<ValueError> errors;
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (ValueId v : graph.nodes[n].outputs) {
      if (v == kNoValue || graph.value(v).dtype != DType::f32) continue;
      const size_t i = output_of.at(v);
      if (got.output(i).shape() != wanted.output(i).shape())
        return Error{Errc::mismatch, fmt::format("'{}' has another number of rows, {} against {}",
                                                 graph.value(v).name, got.output(i).shape().str(),
                                                 wanted.output(i).shape().str())};
      ValueError e = compare(got.output(i), wanted.output(i));
      e.value = v;
      e.node = static_cast<NodeId>(n);
      errors.push_back(e);
    }
  return errors;
}

}  // namespace

Result<std::vector<ValueError>> value_ranges(const Graph& graph, Device& device,
                                             const std::map<std::string, Tensor>& inputs) {
  SessionOptions exact;
  exact.devices = {&device};
  VULTUS_TRY(Session session, run_once(with_all_outputs(graph), exact, inputs));
  return compare(graph, session, session);
}

Result<std::vector<ValueError>> compare_values(const Graph& graph, const SessionOptions& options,
                                               Device& reference,
                                               const std::map<std::string, Tensor>& inputs) {
  SessionOptions exact;
  exact.devices = {&reference};
  VULTUS_TRY(Session wanted, run_once(with_all_outputs(graph), exact, inputs));
  VULTUS_TRY(Session got, run_once(with_all_outputs(graph), options, inputs));
  return compare(graph, got, wanted);
}

void keep_worst(std::vector<ValueError>& worst, const std::vector<ValueError>& other) {
  if (worst.empty()) {
    worst = other;
    return;
  }
  auto rank = [](const ValueError& e) {
    return std::pair(e.non_finite > 0 && e.reference_non_finite == 0, e.non_finite);
  };
  for (size_t i = 0; i < worst.size(); ++i) {
    ValueError& e = worst[i];
    e.max_abs = std::max(e.max_abs, other[i].max_abs);
    e.rel_l2 = std::max(e.rel_l2, other[i].rel_l2);
    e.largest = std::max(e.largest, other[i].largest);
    if (rank(other[i]) > rank(e)) {
      e.non_finite = other[i].non_finite;
      e.reference_non_finite = other[i].reference_non_finite;
    }
  }
}

std::vector<std::string> unsafe_nodes(const Graph& graph, const std::vector<ValueError>& errors) {
  const auto readers = graph.consumers();
  std::set<NodeId> unsafe;
  for (const ValueError& e : errors) {
    const bool overflows = e.non_finite > 0 && e.reference_non_finite == 0;
    if (!overflows && e.largest * kMargin <= kLargestHalf) continue;
    unsafe.insert(e.node);
    unsafe.insert(readers[static_cast<size_t>(e.value)].begin(),
                  readers[static_cast<size_t>(e.value)].end());
  }
  std::vector<std::string> names;
  for (NodeId n : unsafe)
    names.push_back(graph.node(n).name);
  return names;
}

}  // namespace vultus
