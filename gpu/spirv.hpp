#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.hpp"

namespace vultus::gpu {

/// SPIR-V words embedded under "conv.fp16"; empty when there is no such kernel.
std::span<const uint32_t> find_spirv(std::string_view name);
/// Every embedded kernel: "conv.fp16", "conv.fp32", ...
std::vector<std::string_view> kernel_names();

/// What a compute shader declares; dispatches are checked against it.
struct Reflection {
  struct StorageBuffer {
    bool readonly = true;  ///< every variable on this binding
    bool writeonly = true;
  };
  struct Axis {
    uint32_t value = 1;
    int spec_id = -1;  ///< the specialisation constant that sets it, if any
  };
  std::map<uint32_t, StorageBuffer> bindings;  ///< by binding number, all of set 0
  uint32_t push_bytes = 0;                     ///< end of the last member
  std::vector<uint32_t> spec_ids;              ///< ascending
  std::array<Axis, 3> local_size;

  /// With specialisation constants 0, 1, ... set.
  std::array<uint32_t, 3> local_size_with(std::span<const uint32_t> spec) const;
};

/// Errc::internal when the words are no compute shader of the kind we write.
Result<Reflection> reflect(std::span<const uint32_t> words);

}  // namespace vultus::gpu
