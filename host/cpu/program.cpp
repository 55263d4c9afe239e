#include "host/cpu/program.hpp"

#include <dnnl_debug.h>
#include <fmt/format.h>

#include <algorithm>

namespace vultus::cpu {

Result<void> HostBytes::write(std::span<const std::span<const std::byte>> parts) {
  size_t bytes = 0;
  for (const auto& part : parts)
    bytes += part.size();
  if (bytes > capacity_)
    return Error{Errc::internal, "more bytes than partitions share on the CPU"};
  if (parts.size() == 1) {
    bytes_ = parts.front();
    return {};
  }
  together_.resize(bytes);
  auto to = together_.begin();
  for (const auto& part : parts)
    to = std::ranges::copy(part, to).out;
  bytes_ = together_;
  return {};
}

Result<void> execute(Step& step, const dnnl::stream& stream) {
  if (step.kernel) return step.kernel(step.addresses);
  // The C interface: the other one copies the arguments at every call.
  dnnl_status_t status =
      dnnl_primitive_execute(step.primitive.get(), stream.get(),
                             static_cast<int>(step.arguments.size()), step.arguments.data());
  if (status == dnnl_success) return {};
  return Error{Errc::device_lost, fmt::format("oneDNN failed ({})", dnnl_status2str(status))};
}

}  // namespace vultus::cpu
