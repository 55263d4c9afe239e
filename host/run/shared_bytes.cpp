#include "host/run/shared_bytes.hpp"

#include <fmt/format.h>

namespace vultus {

Result<void> SharedBytes::set(std::span<const std::span<const std::byte>> parts) {
  int64_t bytes = 0;
  for (const auto& part : parts)
    bytes += static_cast<int64_t>(part.size());
  if (bytes > capacity_)
    return Error{Errc::usage, fmt::format("{} bytes do not fit the {} that networks were given",
                                          bytes, capacity_)};
  contents_.assign(parts.begin(), parts.end());
  bytes_ = bytes;
  ++version_;
  return {};
}

Result<const DeviceBytes*> SharedBytes::on(Device& device) {
  Place& place = places_[&device];
  if (!place.bytes) {
    VULTUS_TRY(place.bytes, device.share(static_cast<size_t>(capacity_)));
  }
  return place.bytes.get();
}

Result<void> SharedBytes::bring_to(Device& device) {
  if (version_ == 0)
    return Error{Errc::usage, "a network reads shared bytes that were never set: set them first"};
  VULTUS_CHECK(on(device));
  Place& place = places_[&device];
  if (place.version == version_) return {};
  VULTUS_CHECK(place.bytes->write(contents_));
  place.version = version_;
  if (device.info().kind == DeviceKind::gpu) {
    ++transfers_.uploads;
    transfers_.upload_bytes += bytes_;
  }
  return {};
}

}  // namespace vultus
