#include "host/run/cost_source.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vultus {

std::string cost_key(const Device& device, Precision precision) {
  const DeviceInfo& info = device.info();
  return fmt::format("{}|{}|{}|{}", info.name, info.driver, info.uuid, name_of(precision));
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace vultus
