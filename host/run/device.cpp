#include "host/run/device.hpp"

namespace vultus {

std::string_view name_of(DeviceKind kind) {
  return kind == DeviceKind::cpu ? "cpu" : "gpu";
}

std::string_view name_of(Precision precision) {
  return precision == Precision::fp32 ? "fp32" : "fp16";
}

}  // namespace vultus
