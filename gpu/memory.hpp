#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "gpu/vulkan.hpp"

namespace vultus::gpu {

class Context;

enum class MemoryUse : uint8_t {
  device,    ///< kernels only
  exchange,  ///< on the device, copied from and to on every queue
  staging,   ///< written by the host, copied from
  readback,  ///< copied into, read by the host
};

/// A buffer with its own memory, mapped for as long as it lives when the host uses it. The context
/// outlives it.
class Buffer {
 public:
  Buffer() = default;
  /// `what` names it in messages: "the activations of 'star'".
  static Result<Buffer> create(const Context& context, uint64_t bytes, MemoryUse use,
                               const std::string& what);
  ~Buffer();
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }

  VkBuffer handle() const { return buffer_; }
  uint64_t bytes() const { return bytes_; }
  std::span<std::byte> mapped() const { return {mapped_, static_cast<size_t>(bytes_)}; }
  /// After the host wrote, before a submit reads.
  Result<void> flush() const;
  /// After the device wrote and the host waited, before the host reads.
  Result<void> invalidate() const;

 private:
  void swap(Buffer& other) noexcept;

  const Context* context_ = nullptr;
  VkBuffer buffer_ = VK_NULL_HANDLE;
  VkDeviceMemory memory_ = VK_NULL_HANDLE;
  uint64_t bytes_ = 0;
  std::byte* mapped_ = nullptr;
  bool coherent_ = true;
};

/// The types worth trying for a use, best first, among those allowed by `type_bits`. Every type
/// returned can serve; later ones are for when the heap of the earlier is full.
std::vector<uint32_t> memory_types(const VkPhysicalDeviceMemoryProperties& memory,
                                   uint32_t type_bits, MemoryUse use);

}  // namespace vultus::gpu
