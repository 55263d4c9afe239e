#include "host/run/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

namespace vultus {

struct Session::State {
  Graph graph;
  Plan plan;
  PassReport passes;
  std::vector<std::unique_ptr<Partition>> partitions;
  std::vector<Tensor>
      tensors;  // per value: graph inputs, outputs and what crosses a partition's border
  std::vector<bool> is_set;  // per graph input
  Transfers transfers;

  Tensor& tensor(ValueId v) { return tensors[static_cast<size_t>(v)]; }
};

namespace {

std::vector<std::string> names_of(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<std::string> names;
  for (ValueId v : ids)
    names.push_back(graph.value(v).name);
  return names;
}

/// Index in `ids` of the value of that name, or an error that lists the names there are.
Result<size_t> index_of(const Graph& graph, const std::vector<ValueId>& ids, std::string_view name,
                        std::string_view what) {
  for (size_t i = 0; i < ids.size(); ++i)
    if (graph.value(ids[i]).name == name) return i;
  return Error{Errc::usage, fmt::format("the network has no {} '{}'; it has: {}", what, name,
                                        fmt::join(names_of(graph, ids), ", "))};
}

}  // namespace

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::from_graph(Graph graph, const SessionOptions& options, PassReport passes) {
  auto state = std::make_unique<State>();
  state->passes = std::move(passes);
  state->graph = std::move(graph);
  Graph& g = state->graph;
  VULTUS_TRY(state->plan, make_plan(g, options.devices, options.precision));
  for (const PlannedPartition& planned : state->plan.partitions) {
    VULTUS_TRY(auto partition, planned.device->compile(g, planned.spec));
    state->partitions.push_back(std::move(partition));
  }

  state->tensors.resize(g.values.size());
  state->is_set.assign(g.inputs.size(), false);
  auto allocate = [&](ValueId v) {
    if (!state->tensor(v).bytes()) state->tensor(v) = Tensor(g.value(v).dtype, g.shape(v));
  };
  for (ValueId v : g.inputs)
    allocate(v);
  for (ValueId v : g.outputs)
    if (g.value(v).constant) state->tensor(v) = g.value(v).constant->clone();
  for (const PlannedPartition& planned : state->plan.partitions)
    for (ValueId v : planned.spec.outputs)
      allocate(v);
  return Session(std::move(state));
}

const Graph& Session::graph() const {
  return state_->graph;
}
const Plan& Session::plan() const {
  return state_->plan;
}
const PassReport& Session::passes() const {
  return state_->passes;
}
std::vector<std::string> Session::input_names() const {
  return names_of(graph(), graph().inputs);
}
std::vector<std::string> Session::output_names() const {
  return names_of(graph(), graph().outputs);
}
const Transfers& Session::transfers() const {
  return state_->transfers;
}

Result<const Value*> Session::describe(std::string_view name) const {
  for (const auto* ids : {&graph().inputs, &graph().outputs})
    for (ValueId v : *ids)
      if (graph().value(v).name == name) return &graph().value(v);
  return Error{Errc::usage,
               fmt::format("the network has no input or output '{}'; it has: {}, {}", name,
                           fmt::join(input_names(), ", "), fmt::join(output_names(), ", "))};
}

Result<void> Session::set_input(std::string_view name, const TensorView& data) {
  VULTUS_TRY(size_t i, index_of(graph(), graph().inputs, name, "input"));
  const Value& value = graph().value(graph().inputs[i]);
  if (data.dtype != value.dtype || !(data.shape == value.shape))
    return Error{Errc::bad_input, fmt::format("input '{}' takes {} {}, but was given {} {}", name,
                                              name_of(value.dtype), value.shape.str(),
                                              name_of(data.dtype), data.shape.str())};
  std::memcpy(state_->tensor(graph().inputs[i]).bytes(), data.bytes, data.size_bytes());
  state_->is_set[i] = true;
  return {};
}

Result<void> Session::run() {
  State& s = *state_;
  for (size_t i = 0; i < s.is_set.size(); ++i)
    if (!s.is_set[i])
      return Error{Errc::usage,
                   fmt::format("input '{}' was never set", s.graph.value(s.graph.inputs[i]).name)};
  for (size_t p = 0; p < s.partitions.size(); ++p) {
    const PartitionSpec& spec = s.plan.partitions[p].spec;
    for (ValueId v : spec.inputs)
      VULTUS_CHECK(s.partitions[p]->upload(v, s.tensor(v).view()));
    VULTUS_CHECK(s.partitions[p]->submit());
    VULTUS_CHECK(s.partitions[p]->wait());
    for (ValueId v : spec.outputs) {
      if (s.graph.value(v).dynamic_rows) s.tensor(v).restore_rows(s.graph.shape(v)[0]);
      VULTUS_CHECK(s.partitions[p]->download(v, s.tensor(v)));
    }
    PartitionStats stats = s.partitions[p]->stats();
    s.transfers.uploads += stats.upload_bytes > 0;
    s.transfers.downloads += stats.download_bytes > 0;
    s.transfers.upload_bytes += stats.upload_bytes;
    s.transfers.download_bytes += stats.download_bytes;
  }
  return {};
}

Result<const Tensor*> Session::output(std::string_view name) const {
  VULTUS_TRY(size_t i, index_of(graph(), graph().outputs, name, "output"));
  return &output(i);
}

const Tensor& Session::output(size_t i) const {
  return state_->tensor(graph().outputs[i]);
}

PartitionStats Session::stats() const {
  PartitionStats sum;
  for (const auto& partition : state_->partitions) {
    PartitionStats s = partition->stats();
    sum.dispatches += s.dispatches;
    sum.barriers += s.barriers;
    sum.reorders += s.reorders;
    sum.arena_bytes += s.arena_bytes;
    sum.unplanned_bytes += s.unplanned_bytes;
    sum.weight_bytes += s.weight_bytes;
    sum.upload_bytes += s.upload_bytes;
    sum.download_bytes += s.download_bytes;
  }
  return sum;
}

Result<std::vector<NodeTime>> Session::profile() {
  std::vector<NodeTime> all;
  for (const auto& partition : state_->partitions) {
    VULTUS_TRY(auto times, partition->profile());
    all.insert(all.end(), times.begin(), times.end());
  }
  return all;
}

}  // namespace vultus
