#include "host/run/device.hpp"

#include <fmt/format.h>

namespace vultus {

std::string_view name_of(DeviceKind kind) {
  return kind == DeviceKind::cpu ? "cpu" : "gpu";
}

std::string_view name_of(Precision precision) {
  return precision == Precision::fp32 ? "fp32" : "fp16";
}

Result<std::unique_ptr<DeviceBytes>> Device::share(size_t /*capacity*/) {
  return Error{Errc::no_device, fmt::format("{}: its networks share no inputs", info().name)};
}

std::map<NodeId, double> node_times(const std::vector<StepTime>& steps) {
  std::map<NodeId, double> times;
  for (const StepTime& step : steps)
    if (step.node >= 0) times[step.node] += step.ms;
  return times;
}

}  // namespace vultus
