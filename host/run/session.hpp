#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/plan/plan.hpp"
#include "host/run/device.hpp"
#include "host/run/measure.hpp"
#include "host/run/shared_bytes.hpp"
#include "host/run/transfers.hpp"

namespace vultus {

struct SessionOptions {
  std::vector<Device*> devices;           ///< in order of preference
  Precision precision = Precision::fp32;  ///< storage on the GPU; the CPU always computes in fp32
  std::map<std::string, Shape> shapes =
      {};                ///< binds symbolic input shapes: {"input", {1, 3, 480, 640}}
  size_t in_flight = 1;  ///< slots
  /// For the first axis of every input, also where the file fixes it at 1; 0: as it is.
  int64_t batch = 0;
  Tuning tuning = Tuning::rules;  ///< where choices between kernels come from
  Goal goal = Goal::preference;
  std::vector<Pin> pins = {};
  std::vector<std::string> keep_fp32 = {};  ///< nodes, as in PlanOptions
  /// Of what the goal `fastest` weighs and `Plan::estimate` needs; nothing: the model for that
  /// goal, no costs otherwise.
  std::optional<CostSource> costs = {};
  bool fuse = true;  ///< false: layers are rewritten, but not joined
  /// Inputs by name, of type u8, that other sessions read as well; they are never set here.
  std::map<std::string, std::shared_ptr<SharedBytes>> shared = {};
  /// Activations on the CPU lie where those of other such sessions do: one of them runs at a time,
  /// and every input is set before every run.
  bool share_workspace = false;
};

/// Milliseconds of each part of a load.
struct LoadTimes {
  double import_ms = 0, passes_ms = 0, plan_ms = 0, compile_ms = 0;
};

/// A network, planned, compiled and ready to run. Move-only; one thread at a time. The devices
/// outlive it. Runs may overlap: set the inputs of slot 0, submit it, set those of slot 1, submit
/// it, wait for slot 0, ... A network that is one partition on a GPU then copies, computes and
/// reads back at the same time; any other computes within `submit`.
class Session {
 public:
  static Result<Session> load(const std::string& path, const SessionOptions& options);
  static Result<Session> from_graph(Graph graph, const SessionOptions& options,
                                    PassReport passes = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// As it was compiled. Constants that no partition reads in place hold no elements any more.
  const Graph& graph() const;
  const Plan& plan() const;
  const PassReport& passes() const;  ///< what load has rewritten and fused
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;
  /// Shape and type of an input or output by name; an error lists the names there are.
  Result<const Value*> describe(std::string_view name) const;
  /// Row-major data for an input; type and shape must match. Stays set for later runs of the slot.
  Result<void> set_input(std::string_view name, const TensorView& data, size_t slot = 0);
  /// Submits slot 0 and waits for it.
  Result<void> run();
  size_t slots() const;
  /// Waits first when the slot's last run is still under way.
  Result<void> submit(size_t slot);
  /// Until the outputs of the slot's last run are there. Nothing to do when there was none.
  Result<void> wait(size_t slot);
  /// The output of the slot's last finished run; valid until its next one.
  Result<const Tensor*> output(std::string_view name, size_t slot = 0) const;
  const Tensor& output(size_t i, size_t slot = 0) const;
  /// Where the time of the slot's last finished run went.
  const RunTimes& run_times(size_t slot = 0) const;
  const LoadTimes& load_times() const;
  const Transfers& transfers() const;  ///< summed since load, without shared inputs
  PartitionStats stats() const;        ///< summed over partitions
  PartitionStats partition_stats(size_t partition) const;
  std::vector<MemoryBlock> memory_map(size_t partition) const;  ///< of its arena, by offset
  /// Runs once more with the inputs of slot 0 (where there are several partitions: those of the
  /// last run) and times every step, one after the other, in order.
  Result<std::vector<StepTime>> profile();

 private:
  struct State;
  Result<void> check_slot(size_t slot) const;
  void set_load_times(double import_ms, double passes_ms);
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vultus
