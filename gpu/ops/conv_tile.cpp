#include "gpu/ops/conv_tile.hpp"

#include <fmt/format.h>

#include "gpu/ops/conv_stem.hpp"

namespace vultus::gpu {

namespace {

struct Push {
  EpiloguePush epilogue;
  uint32_t in_h, in_w, in_groups;
  uint32_t out_h, out_w;
  uint32_t pixels, k_groups;
  WindowPush window;
};

uint32_t pixels_of(const Convolution& c) {
  return c.batch * c.out_h * c.out_w;
}

}  // namespace

ConvProblem problem_of(const Builder& b, const Convolution& c) {
  return {.pixels = pixels_of(c),
          .in_channels = c.in_channels,
          .out_channels = c.out_channels,
          .taps = static_cast<uint32_t>(c.window.taps()),
          .groups = c.groups,
          .stem = is_stem(c),
          .fp16 = b.precision() == Precision::fp16};
}

void add_tiled_convolution(Builder& b, const Convolution& c, const ConvChoice& choice,
                           EpilogueParts parts) {
  const ConvTile& tile = choice.tile;
  const ConvProblem problem = problem_of(b, c);
  Push push{parts.push,       c.in_h,  c.in_w,       c.in_groups(),
            c.out_h,          c.out_w, pixels_of(c), problem.k_groups(),
            push_of(c.window)};
  Dispatch dispatch;
  dispatch.spec = std::move(parts.spec);
  dispatch.spec.insert(dispatch.spec.end(), {c.scale ? 1u : 0u, choice.threads, tile.pixels,
                                             tile.groups, choice.step, choice.split});
  if (choice.family == ConvFamily::coop) {
    dispatch.spec.insert(dispatch.spec.end(),
                         {kMatrixSize, kMatrixSize, kMatrixSize, tile.along_m, tile.along_n});
    dispatch.kernel = fmt::format("conv_coop_{}", name_of(b.caps().cooperative));
    if (b.caps().subgroup_size_control) dispatch.subgroup_size = b.caps().subgroup_size;
  } else {
    dispatch.spec.push_back(tile.per_thread);
    dispatch.kernel = "conv_tile";
  }
  dispatch.push.resize(sizeof(Push));
  std::memcpy(dispatch.push.data(), &push, sizeof(Push));
  dispatch.bindings = std::move(parts.bindings);
  dispatch.bindings.push_back({c.scale.value_or(c.input), Access::read});
  dispatch.threads = {(pixels_of(c) + tile.pixels - 1) / tile.pixels * choice.threads,
                      (c.out_groups() + tile.groups - 1) / tile.groups, 1};
  b.dispatch(std::move(dispatch));
}

}  // namespace vultus::gpu
