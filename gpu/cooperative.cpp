#include "gpu/cooperative.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gpu/device.hpp"

namespace vultus::gpu {

namespace {

constexpr uint32_t kAmd = 0x1002, kIntel = 0x8086;

bool fits(const MatrixShape& s) {
  return s.m == kMatrixSize && s.n == kMatrixSize && s.k == kMatrixSize && s.half_to_float &&
         s.subgroup;
}

/// Why a device that has the extension is not to be used through it; empty when it is.
std::string refusal(const DeviceReport& r) {
  if (r.type == "software") return "computed by the CPU";
  // RDNA 3 has matrix instructions and is the first to accelerate dot products of mixed sign.
  if (r.vendor == kAmd && !r.mixed_dot_product)
    return "emulated: AMD has matrix instructions from RDNA 3 on";
  // Xe2 is the first whose smallest subgroup has 16 lanes; before it scalar code is faster.
  if (r.vendor == kIntel && r.min_subgroup_size < 16)
    return "emulated or slower than scalar code: Intel before Xe2";
  if (!r.float16 || !r.storage16) return "it has no 16-bit arithmetic or storage";
  if (!r.memory_model) return "it lacks the Vulkan memory model";
  if (!r.subgroup_size_control) return "its subgroup size cannot be pinned";
  return {};
}

}  // namespace

std::string_view name_of(Cooperative cooperative) {
  switch (cooperative) {
    case Cooperative::none:
      return "none";
    case Cooperative::khr:
      return "khr";
    case Cooperative::nv:
      return "nv";
    case Cooperative::emulated:
      return "emulated";
  }
  return "?";
}

CooperativeChoice choose_cooperative(const DeviceReport& report, const CooperativeOffer& offer) {
  if (!report.cooperative_khr && !report.cooperative_nv)
    return {Cooperative::none, "the device has no cooperative matrices"};
  if (std::string why = refusal(report); !why.empty()) return {Cooperative::none, why};
  bool khr = std::any_of(offer.khr.begin(), offer.khr.end(), fits);
  bool nv = std::any_of(offer.nv.begin(), offer.nv.end(), fits);
  if (khr && offer.khr_built) return {Cooperative::khr, "VK_KHR_cooperative_matrix"};
  if (nv && offer.nv_built) return {Cooperative::nv, "VK_NV_cooperative_matrix"};
  if (khr || nv)
    return {
        Cooperative::none,
        fmt::format("this build has no kernels for VK_{}_cooperative_matrix: build with glslang "
                    "13 or newer (tools/glslang)",
                    khr ? "KHR" : "NV")};
  return {Cooperative::none,
          fmt::format("it offers no {0} x {0} x {0} product of fp16 with fp32 sums", kMatrixSize)};
}

}  // namespace vultus::gpu
