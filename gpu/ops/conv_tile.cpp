#include "gpu/ops/conv_tile.hpp"

#include <fmt/format.h>

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

Dispatch tiled_dispatch(const Builder& b, const Convolution& c, const ConvChoice& choice,
                        EpilogueParts parts) {
  const ConvTile& tile = choice.tile;
  Dispatch dispatch;
  dispatch.spec = std::move(parts.spec);
  dispatch.bindings = std::move(parts.bindings);
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
  dispatch.push = bytes_of(Push{parts.push, c.in_h, c.in_w, c.in_groups(), c.out_h, c.out_w,
                                pixels_of(c), problem_of(b, c).k_groups(), push_of(c.window)});
  dispatch.threads = {(pixels_of(c) + tile.pixels - 1) / tile.pixels * choice.threads,
                      (c.out_groups() + tile.groups - 1) / tile.groups, 1};
  return dispatch;
}

}  // namespace vultus::gpu
