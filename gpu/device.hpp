#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gpu/conv_family.hpp"
#include "gpu/cooperative.hpp"
#include "host/core/result.hpp"
#include "host/run/device.hpp"

namespace vultus::gpu {

/// One physical device as `vultus devices` shows it.
struct DeviceReport {
  int index = 0;
  std::string name;
  std::string driver;      ///< name and version as the driver tells them
  std::string api;         ///< "1.3.230"
  std::string type;        ///< "discrete", "integrated", "virtual", "software", "other"
  std::string uuid;        ///< 32 hexadecimal digits with dashes
  bool storage16 = false;  ///< 16-bit storage buffers: without them fp32 only
  bool float16 = false;    ///< 16-bit arithmetic
  bool timeline = false;   ///< timeline semaphores
  bool cooperative_khr = false;
  bool cooperative_nv = false;
  CooperativeChoice cooperative;  ///< which of the two kernels use, and why
  uint32_t vendor = 0;            ///< PCI id
  uint32_t cores = 0;             ///< SMs or compute units; 0: the driver does not say
  uint32_t subgroup_size = 0;
  uint32_t min_subgroup_size = 0, max_subgroup_size = 0;
  bool subgroup_size_control = false;  ///< a compute kernel can ask for full subgroups of one size
  uint32_t max_workgroup_subgroups = ~0u;  ///< where a kernel asks for their size
  bool memory_model = false;               ///< the Vulkan memory model
  bool mixed_dot_product = false;          ///< accelerates 8-bit dot products of mixed sign
  uint64_t memory_bytes = 0;               ///< largest device-local heap
  uint64_t max_storage_range = 0;          ///< bytes a kernel can see of one tensor
  uint64_t max_allocation = 0;
  uint32_t max_shared_bytes = 0;  ///< workgroup memory
  uint32_t max_invocations = 0;   ///< per workgroup
  uint32_t timestamp_bits = 0;    ///< of the queue we would use; 0: no per-node times
  std::string refusal;            ///< why it cannot be used; empty when it can

  bool usable() const { return refusal.empty(); }
};

/// Every physical device, usable or not. Errc::no_device when there is no loader or no driver.
Result<std::vector<DeviceReport>> list_devices();

struct OpenOptions {
  /// Index, part of the name (any case) or start of the uuid; empty: the best discrete, else
  /// integrated device.
  std::string selector = {};
  bool allow_software = false;  ///< whether an empty selector may choose a CPU in disguise
  /// Khronos validation with synchronisation checks; also VULTUS_VALIDATION=1. Fails without the
  /// layer.
  bool validation = false;
  /// Activation memory starts as 0xff bytes (NaN, -1), so that reading what nobody wrote shows.
  bool poison = false;
  /// Runs in flight copy in submissions of their own even where that is on the same queue.
  bool copies_apart = false;
  /// Convolution kernels other than the rules would choose; Errc::no_device when the device cannot.
  ConvForce conv = {};
  /// Cooperative matrices in plain arithmetic, hundreds of times slower, so that their kernel can
  /// be tested on devices without.
  bool emulate_cooperative = false;
  /// Bytes of one tensor that kernels may see, where that is less than the device allows; 0: what
  /// it allows.
  uint64_t max_storage_range = 0;
  /// Folder of compiled pipelines and of timings; empty: $XDG_CACHE_HOME/vultus. "-": none.
  std::string cache_folder = {};
};

Result<std::unique_ptr<Device>> open(const OpenOptions& options = {});

/// Picks from the reports by the rules of OpenOptions; exposed for tests on invented hardware.
Result<int> choose_device(const std::vector<DeviceReport>& reports, const OpenOptions& options);

/// Changes OpenOptions::conv for partitions compiled from now on.
Result<void> force_convolutions(Device& device, const ConvForce& force);

/// Texts of the validation messages (warnings and errors) of a device made by `open`, oldest first;
/// takes them away.
std::vector<std::string> take_validation_messages(Device& device);
/// Whether the device runs under the validation layer.
bool validated(const Device& device);
/// Whether the validation layer is installed.
bool validation_available();

}  // namespace vultus::gpu
