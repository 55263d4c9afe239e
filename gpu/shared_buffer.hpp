#pragma once

#include <memory>

#include "gpu/commands.hpp"
#include "gpu/memory.hpp"

namespace vultus::gpu {

/// Bytes in device memory that partitions bind as an input: `Device::share` of a Vulkan device.
class SharedBuffer : public DeviceBytes {
 public:
  static Result<std::unique_ptr<DeviceBytes>> create(const Context& context, size_t capacity);
  /// Submits the copy and returns: the order of the queue and barriers on both sides place it
  /// between the runs submitted before and those submitted after.
  Result<void> write(std::span<const std::span<const std::byte>> parts) override;
  const Context& context() const { return context_; }
  const Buffer& buffer() const { return buffer_; }

 private:
  SharedBuffer(const Context& context, Buffer buffer, Commands commands)
      : context_(context), buffer_(std::move(buffer)), commands_(std::move(commands)) {}

  const Context& context_;
  Buffer buffer_, staging_;
  Commands commands_;
  size_t recorded_ = 0;  ///< bytes that `commands_` copies; 0: nothing was recorded yet
};

}  // namespace vultus::gpu
