#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "host/core/result.hpp"
#include "host/core/shape.hpp"
#include "host/run/device.hpp"
#include "host/run/transfers.hpp"

namespace vultus {

/// Bytes that several networks read as an input of type u8: they go to each device that reads them
/// once, when the first network there is run. One thread at a time. The devices outlive it.
class SharedBytes {
 public:
  /// Room for `capacity` bytes, 1 or more; the networks' input has that many elements.
  explicit SharedBytes(int64_t capacity) : capacity_(capacity) {}

  /// New contents, the parts one behind the other; nothing is copied yet. They stay where they are,
  /// unchanged, until the next call or until the last run that reads them has ended. Errc::usage
  /// when there are more than the capacity.
  Result<void> set(std::span<const std::span<const std::byte>> parts);
  Result<void> set(std::span<const std::byte> bytes) { return set(std::span(&bytes, 1)); }
  Shape shape() const { return {capacity_}; }
  /// What went to devices with memory of their own, summed.
  const Transfers& transfers() const { return transfers_; }

  /// Where partitions of that device read them.
  Result<const DeviceBytes*> on(Device& device);
  /// Takes the present contents there unless they are there already. Errc::usage before `set`.
  Result<void> bring_to(Device& device);

 private:
  struct Place {
    std::unique_ptr<DeviceBytes> bytes;
    int64_t version = 0;  ///< of what lies there
  };

  int64_t capacity_;
  std::vector<std::span<const std::byte>> contents_;  ///< the parts
  int64_t bytes_ = 0;                                 ///< of them all
  int64_t version_ = 0;
  std::map<Device*, Place> places_;
  Transfers transfers_;
};

}  // namespace vultus
