#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/plan/plan.hpp"
#include "host/run/device.hpp"

namespace vultus {

struct SessionOptions {
  std::vector<Device*>
      devices;  ///< in order of preference; a node goes to the first that supports it
  Precision precision = Precision::fp32;  ///< storage on the GPU; the CPU always computes in fp32
  std::map<std::string, Shape> shapes =
      {};  ///< binds symbolic input shapes: {"input", {1, 3, 480, 640}}
};

struct Transfers {
  int64_t uploads = 0, downloads = 0;
  int64_t upload_bytes = 0, download_bytes = 0;
};

/// A network, planned, compiled and ready to run. Move-only; one thread at a time. The devices
/// outlive it.
class Session {
 public:
  static Result<Session> load(const std::string& path, const SessionOptions& options);
  static Result<Session> from_graph(Graph graph, const SessionOptions& options,
                                    PassReport passes = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  const Graph& graph() const;
  const Plan& plan() const;
  const PassReport& passes() const;  ///< what load has rewritten and fused
  std::vector<std::string> input_names() const;
  std::vector<std::string> output_names() const;
  /// Shape and type of an input or output by name; an error lists the names there are.
  Result<const Value*> describe(std::string_view name) const;
  /// Row-major data for an input; type and shape must match.
  Result<void> set_input(std::string_view name, const TensorView& data);
  Result<void> run();
  /// The output of the last run; valid until the next one.
  Result<const Tensor*> output(std::string_view name) const;
  const Tensor& output(size_t i) const;
  const Transfers& transfers() const;  ///< summed since load
  PartitionStats stats() const;        ///< summed over partitions
  Result<std::vector<NodeTime>> profile();

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vultus
