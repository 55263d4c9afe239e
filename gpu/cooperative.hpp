#pragma once

#include <string>
#include <vector>

namespace vultus::gpu {

struct DeviceReport;

/// The extension whose kernels are used; emulated: neither, the same kernel in plain arithmetic.
enum class Cooperative : uint8_t { none, khr, nv, emulated };
std::string_view name_of(Cooperative cooperative);

/// One matrix product that a device offers.
struct MatrixShape {
  uint32_t m = 0, n = 0, k = 0;
  bool half_to_float = false;  ///< fp16 factors, fp32 sums and result, not saturating
  bool subgroup = false;       ///< spread over a subgroup
};

/// The kernels take 16 x 16 x 16, fp16 x fp16 -> fp32, on a subgroup.
inline constexpr uint32_t kMatrixSize = 16;

/// What of the cooperative matrices is used, and why nothing else.
struct CooperativeChoice {
  Cooperative kind = Cooperative::none;
  std::string reason;
};
/// What a device offers and this build contains.
struct CooperativeOffer {
  std::vector<MatrixShape> khr, nv;  ///< empty without the extension and its feature
  bool khr_built = false, nv_built = false;
};
/// KHR before NV. Refuses software devices and those that emulate matrices; pure.
CooperativeChoice choose_cooperative(const DeviceReport& report, const CooperativeOffer& offer);

}  // namespace vultus::gpu
