#pragma once

#include "apps/common.hpp"

namespace vultus::app {

struct PlanSummary {
  int64_t gpu_ops = 0, cpu_ops = 0, macs = 0;
  double coverage_ops = 0, coverage_macs = 0;  ///< fractions 0..1
};
PlanSummary summarise(const Session& session);
/// What `plan --json` prints; cli.md lists the keys. `next` is that of the session's plan.
Json plan_json(const std::string& model, const EngineOptions& engine, const Session& session,
               const OpenedDevices& devices, const std::optional<NextBest>& next);

}  // namespace vultus::app
