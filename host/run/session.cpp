#include "host/run/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "host/core/stopwatch.hpp"
#include "host/run/lanes.hpp"

namespace vultus {

namespace {

Moment now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

struct Session::State {
  /// What belongs to one run.
  struct Slot {
    /// Per value: outputs, what crosses a partition's border, and inputs that nobody else keeps.
    std::vector<Tensor> tensors;
    std::vector<bool> is_set;  ///< per graph input
    bool under_way = false;
    RunClock clock;
    Moment submitted;  ///< where the session is direct

    Tensor& tensor(ValueId v) { return tensors[static_cast<size_t>(v)]; }
  };

  Graph graph;
  Plan plan;
  PassReport passes;
  std::map<std::string, std::shared_ptr<SharedBytes>> shared;
  std::vector<std::pair<SharedBytes*, Device*>> readers;  ///< of shared inputs
  std::vector<std::unique_ptr<Partition>> partitions;
  std::vector<Slot> slots;
  /// One partition with a slot for each of ours: inputs go straight to it, runs overlap.
  bool direct = false;
  std::unique_ptr<Lanes> lanes;  ///< where there are several partitions
  LoadTimes load_times;
  Transfers transfers;

  Result<void> share_inputs();
  void release_constants();
  Result<void> bring_shared() {
    for (const auto& [bytes, device] : readers)
      VULTUS_CHECK(bytes->bring_to(*device));
    return {};
  }
  void count_transfers(const Partition& partition) {
    PartitionStats stats = partition.stats();
    transfers.uploads += stats.upload_bytes > 0;
    transfers.downloads += stats.download_bytes > 0;
    transfers.upload_bytes += stats.upload_bytes;
    transfers.download_bytes += stats.download_bytes;
  }
  Result<void> download(size_t partition, Slot& slot) {
    const Moment from = now();
    for (ValueId v : plan.partitions[partition].spec.outputs) {
      if (graph.value(v).dynamic_rows) slot.tensor(v).restore_rows(graph.shape(v)[0]);
      VULTUS_CHECK(partitions[partition]->download(v, slot.tensor(v)));
    }
    if (!plan.partitions[partition].spec.outputs.empty())
      slot.clock.note(partition, Stage::read_back, from, now());
    return {};
  }
  Result<void> wait(size_t partition, Slot& slot, Moment submitted) {
    VULTUS_CHECK(partitions[partition]->wait());
    const Moment done = now();
    if (const auto times = partitions[partition]->device_times()) {
      slot.clock.note(partition, *times, submitted, done);
      return {};
    }
    slot.clock.note(partition, Stage::compute, submitted, done);
    if (plan.partitions[partition].device->info().kind == DeviceKind::gpu)
      slot.clock.note_unclocked(partition);
    return {};
  }
  Result<void> run(size_t partition, Slot& slot) {
    const Moment from = now();
    for (ValueId v : plan.partitions[partition].spec.inputs)
      VULTUS_CHECK(partitions[partition]->upload(v, slot.tensor(v).view()));
    const Moment submitted = now();
    if (!plan.partitions[partition].spec.inputs.empty())
      slot.clock.note(partition, Stage::upload, from, submitted);
    VULTUS_CHECK(partitions[partition]->submit());
    VULTUS_CHECK(wait(partition, slot, submitted));
    return download(partition, slot);
  }
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

/// Shared inputs go up once, whatever this network does.
void make_free(const Graph& graph, const SessionOptions& options, PlacementCosts& costs) {
  for (ValueId v : graph.inputs)
    if (options.shared.contains(graph.value(v).name)) costs.transfers[static_cast<size_t>(v)] = {};
}

/// The partitions in the two lanes: the CPU's on the calling thread, which has its threads.
std::vector<Lanes::Job> jobs_of(const Graph& graph, const Plan& plan) {
  std::vector<size_t> home(graph.values.size(), 0);
  std::vector<Lanes::Job> jobs;
  for (size_t p = 0; p < plan.partitions.size(); ++p) {
    Lanes::Job job;
    job.aside = plan.partitions[p].device->info().kind == DeviceKind::gpu;
    const PartitionSpec& spec = plan.partitions[p].spec;
    for (ValueId v : spec.inputs)
      if (graph.value(v).producer >= 0) job.after.push_back(home[static_cast<size_t>(v)]);
    for (const PartitionSpec::Import& import : spec.imports)
      job.after.push_back(home[static_cast<size_t>(import.value)]);
    std::ranges::sort(job.after);
    const auto repeated = std::ranges::unique(job.after);
    job.after.erase(repeated.begin(), repeated.end());
    for (const auto* made : {&spec.outputs, &spec.exports})
      for (ValueId v : *made)
        home[static_cast<size_t>(v)] = p;
    jobs.push_back(std::move(job));
  }
  return jobs;
}

}  // namespace

/// Takes shared inputs out of what partitions are given, into what they find on their device.
Result<void> Session::State::share_inputs() {
  for (const auto& [name, bytes] : shared) {
    VULTUS_TRY(size_t i, index_of(graph, graph.inputs, name, "input"));
    const ValueId v = graph.inputs[i];
    const Value& value = graph.value(v);
    if (value.dtype != DType::u8 || value.shape != bytes->shape() || graph.is_output(v))
      return Error{Errc::usage, fmt::format("input '{}' is {} {}: only inputs of {} bytes that are "
                                            "no output can be shared",
                                            name, name_of(value.dtype), value.shape.str(),
                                            bytes->shape().str())};
    for (PlannedPartition& planned : plan.partitions) {
      if (std::erase(planned.spec.inputs, v) == 0) continue;
      VULTUS_TRY(const DeviceBytes* there, bytes->on(*planned.device));
      planned.spec.shared.push_back({v, there});
      const std::pair reader(bytes.get(), planned.device);
      if (std::ranges::find(readers, reader) == readers.end()) readers.push_back(reader);
    }
  }
  return {};
}

/// What devices have copied is not held twice. The small ones say what their nodes do (bounds,
/// axes).
void Session::State::release_constants() {
  for (size_t i = 0; i < graph.values.size(); ++i) {
    const auto v = static_cast<ValueId>(i);
    Value& value = graph.values[i];
    constexpr size_t kSmall = 4096;
    if (!value.constant || value.constant->size_bytes() <= kSmall ||
        std::ranges::any_of(partitions,
                            [v](const auto& partition) { return partition->reads_in_place(v); }))
      continue;
    value.constant =
        std::make_shared<const Tensor>(Tensor::emptied(value.dtype, value.constant->shape()));
  }
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Result<Session> Session::from_graph(Graph graph, const SessionOptions& options, PassReport passes) {
  auto state = std::make_unique<State>();
  state->passes = std::move(passes);
  state->graph = std::move(graph);
  Graph& g = state->graph;
  Stopwatch watch;
  PlanOptions wanted{options.precision, options.goal, options.pins, options.keep_fp32};
  if (options.costs || options.goal == Goal::fastest) {
    CostOptions from{options.precision, options.costs.value_or(CostSource::model), options.tuning};
    for (const auto& [name, bytes] : options.shared)
      from.shared.push_back(name);
    VULTUS_TRY(wanted.costs, placement_costs(g, options.devices, from));
    make_free(g, options, *wanted.costs);
  }
  VULTUS_TRY(state->plan, make_plan(g, options.devices, wanted));
  state->shared = options.shared;
  VULTUS_CHECK(state->share_inputs());
  state->load_times.plan_ms = watch.lap_ms();
  const size_t slots = std::max<size_t>(options.in_flight, 1);
  std::vector<const Partition*> exporter(g.values.size());
  for (PlannedPartition& planned : state->plan.partitions) {
    if (state->plan.partitions.size() == 1) {
      planned.spec.slots = slots;
      planned.spec.share_workspace = options.share_workspace;
    }
    planned.spec.tuning = options.tuning;
    for (PartitionSpec::Import& import : planned.spec.imports)
      import.from = exporter[static_cast<size_t>(import.value)];
    VULTUS_TRY(auto partition, planned.device->compile(g, planned.spec));
    for (ValueId v : planned.spec.exports)
      exporter[static_cast<size_t>(v)] = partition.get();
    state->partitions.push_back(std::move(partition));
  }
  state->load_times.compile_ms = watch.lap_ms();
  state->direct = state->partitions.size() == 1 && state->partitions[0]->slots() >= slots;
  if (!state->direct) state->lanes = std::make_unique<Lanes>(jobs_of(g, state->plan));

  state->slots.resize(slots);
  for (State::Slot& slot : state->slots) {
    slot.tensors.resize(g.values.size());
    slot.is_set.assign(g.inputs.size(), false);
    slot.clock = RunClock(state->partitions.size());
    auto allocate = [&](ValueId v) {
      if (!slot.tensor(v).bytes()) slot.tensor(v) = Tensor(g.value(v).dtype, g.shape(v));
    };
    for (size_t i = 0; i < g.inputs.size(); ++i) {
      slot.is_set[i] = options.shared.contains(g.value(g.inputs[i]).name);
      if (!slot.is_set[i] && (!state->direct || g.is_output(g.inputs[i]))) allocate(g.inputs[i]);
    }
    for (ValueId v : g.outputs)
      if (g.value(v).constant) slot.tensor(v) = g.value(v).constant->clone();
    for (const PlannedPartition& planned : state->plan.partitions)
      for (ValueId v : planned.spec.outputs)
        allocate(v);
  }
  state->release_constants();
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
const LoadTimes& Session::load_times() const {
  return state_->load_times;
}
void Session::set_load_times(double import_ms, double passes_ms) {
  state_->load_times.import_ms = import_ms;
  state_->load_times.passes_ms = passes_ms;
}
const RunTimes& Session::run_times(size_t slot) const {
  return state_->slots[slot].clock.times();
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

Result<void> Session::set_input(std::string_view name, const TensorView& data, size_t slot) {
  VULTUS_TRY(size_t i, index_of(graph(), graph().inputs, name, "input"));
  const Value& value = graph().value(graph().inputs[i]);
  if (data.dtype != value.dtype || !(data.shape == value.shape))
    return Error{Errc::bad_input, fmt::format("input '{}' takes {} {}, but was given {} {}", name,
                                              name_of(value.dtype), value.shape.str(),
                                              name_of(data.dtype), data.shape.str())};
  VULTUS_CHECK(check_slot(slot));
  if (state_->shared.contains(value.name))
    return Error{Errc::usage, fmt::format("input '{}' is shared: set the shared bytes", name)};
  State::Slot& at = state_->slots[slot];
  const ValueId v = graph().inputs[i];
  const auto& readers = state_->plan.partitions;
  if (at.under_way) VULTUS_CHECK(wait(slot));
  if (state_->direct &&
      std::ranges::find(readers[0].spec.inputs, v) != readers[0].spec.inputs.end()) {
    state_->partitions[0]->select(slot);
    VULTUS_CHECK(state_->partitions[0]->upload(v, data));
  }
  if (at.tensor(v).bytes()) std::memcpy(at.tensor(v).bytes(), data.bytes, data.size_bytes());
  at.is_set[i] = true;
  return {};
}

Result<void> Session::check_slot(size_t slot) const {
  if (slot < slots()) return {};
  return Error{Errc::usage,
               fmt::format("slot {}: the session was loaded for {} runs in flight", slot, slots())};
}

size_t Session::slots() const {
  return state_->slots.size();
}

Result<void> Session::run() {
  VULTUS_CHECK(submit(0));
  return wait(0);
}

Result<void> Session::submit(size_t slot) {
  VULTUS_CHECK(wait(slot));
  State& s = *state_;
  State::Slot& at = s.slots[slot];
  for (size_t i = 0; i < at.is_set.size(); ++i)
    if (!at.is_set[i])
      return Error{Errc::usage,
                   fmt::format("input '{}' was never set", s.graph.value(s.graph.inputs[i]).name)};
  VULTUS_CHECK(s.bring_shared());
  at.clock.begin();
  if (s.direct) {
    s.partitions[0]->select(slot);
    at.submitted = now();
    VULTUS_CHECK(s.partitions[0]->submit());
    at.under_way = true;
    return {};
  }
  VULTUS_CHECK(s.lanes->run([&](size_t p) { return s.run(p, at); }));
  at.clock.finish();
  for (const auto& partition : s.partitions)
    s.count_transfers(*partition);
  return {};
}

Result<void> Session::wait(size_t slot) {
  VULTUS_CHECK(check_slot(slot));
  State& s = *state_;
  if (!s.slots[slot].under_way) return {};
  State::Slot& at = s.slots[slot];
  at.under_way = false;
  s.partitions[0]->select(slot);
  VULTUS_CHECK(s.wait(0, at, at.submitted));
  VULTUS_CHECK(s.download(0, at));
  at.clock.finish();
  s.count_transfers(*s.partitions[0]);
  return {};
}

Result<const Tensor*> Session::output(std::string_view name, size_t slot) const {
  VULTUS_TRY(size_t i, index_of(graph(), graph().outputs, name, "output"));
  VULTUS_CHECK(check_slot(slot));
  return &output(i, slot);
}

const Tensor& Session::output(size_t i, size_t slot) const {
  return state_->slots[slot].tensor(graph().outputs[i]);
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
    sum.choices += s.choices;
    sum.timed_choices += s.timed_choices;
    sum.changed_choices += s.changed_choices;
  }
  return sum;
}

PartitionStats Session::partition_stats(size_t partition) const {
  return state_->partitions[partition]->stats();
}

std::vector<MemoryBlock> Session::memory_map(size_t partition) const {
  return state_->partitions[partition]->memory_map();
}

Result<std::vector<StepTime>> Session::profile() {
  State& s = *state_;
  for (size_t slot = 0; slot < slots(); ++slot)
    VULTUS_CHECK(wait(slot));
  VULTUS_CHECK(s.bring_shared());
  std::vector<StepTime> all;
  for (size_t p = 0; p < s.partitions.size(); ++p) {
    s.partitions[p]->select(0);
    VULTUS_TRY(auto steps, s.partitions[p]->profile());
    // One partition begins when the one before has ended.
    const double begin = all.empty() ? 0 : all.back().start_ms + all.back().ms;
    for (StepTime& step : steps) {
      step.partition = p;
      step.start_ms += begin;
      all.push_back(std::move(step));
    }
  }
  return all;
}

}  // namespace vultus
