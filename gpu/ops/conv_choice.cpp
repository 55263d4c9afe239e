#include "gpu/ops/conv_choice.hpp"

#include <algorithm>
#include <bit>

#include "gpu/cooperative.hpp"

namespace vultus::gpu {

namespace {

constexpr uint32_t kMostSplit = 16;
constexpr uint32_t kMostThreads = 512;
constexpr uint32_t kStep = 4;
// Threads per core that keep it busy: about a subgroup for each of its four schedulers.
constexpr uint64_t kBusyThreads = 120;

uint32_t subgroups(const ConvTile& tile) {
  return tile.pixels / (tile.along_m * kMatrixSize) *
         (tile.groups * 8 / (tile.along_n * kMatrixSize));
}

uint64_t workgroups(const ConvTile& tile, const ConvProblem& p) {
  return (p.pixels + tile.pixels - 1) / tile.pixels *
         ((p.out_groups() + tile.groups - 1) / tile.groups);
}

ConvChoice made(ConvFamily family, const ConvTile& tile, uint32_t split, const ConvProblem& p,
                const Caps& caps) {
  // A matrix is two groups deep; a short K needs no deeper step than it has.
  uint32_t share = family == ConvFamily::coop ? kMatrixSize / 8 : 1;
  uint32_t step = std::max(share * split, std::min(kStep, std::bit_ceil(p.k_groups())));
  uint32_t threads = family == ConvFamily::coop ? subgroups(tile) * caps.subgroup_size
                                                : tile.pixels / tile.per_thread * tile.groups;
  return {family, tile, split, step, threads * split};
}

bool has_room(const ConvChoice& c, const ConvProblem& p, const Caps& caps) {
  return c.threads <= caps.max_invocations && c.threads % c.step == 0 &&
         shared_bytes(c, p.fp16, caps.subgroup_size) <= caps.max_shared_bytes &&
         (p.pixels + c.tile.pixels - 1) / c.tile.pixels <= caps.max_workgroups[0] &&
         (p.out_groups() + c.tile.groups - 1) / c.tile.groups <= caps.max_workgroups[1];
}

/// Two workgroups for every core; a shortfall of a twentieth is not worth a smaller tile.
bool enough(uint64_t workgroups, const Caps& caps) {
  return workgroups * 10 >= uint64_t{caps.cores} * 19;
}

ConvChoice by_rules(ConvFamily family, const ConvProblem& p, const Caps& caps) {
  ConvChoice best{ConvFamily::direct};
  for (const ConvTile& tile : kConvTiles) {
    if (tile.groups > std::max(2u, std::bit_ceil(p.out_groups()))) continue;
    ConvChoice c = made(family, tile, 1, p, caps);
    if (!has_room(c, p, caps)) continue;
    best = c;
    if (enough(workgroups(tile, p), caps)) break;
  }
  if (best.family == ConvFamily::direct) return best;
  const uint64_t groups = workgroups(best.tile, p);
  while (best.split < kMostSplit && (!enough(groups * best.split, caps) ||
                                     groups * best.threads < caps.cores * kBusyThreads)) {
    ConvChoice deeper = made(family, best.tile, best.split * 2, p, caps);
    bool worth = deeper.threads <= kMostThreads && deeper.step * 2 <= p.k_groups();
    if (!worth || !has_room(deeper, p, caps)) break;
    best = deeper;
  }
  return best;
}

ConvChoice forced(ConvFamily family, const ConvProblem& p, const Caps& caps) {
  ConvChoice c = by_rules(family, p, caps);
  if (c.family == ConvFamily::direct) return c;
  const ConvForce& force = caps.force;
  if (force.tile >= 0 || force.split > 0) {
    const ConvTile& tile =
        force.tile >= 0 ? kConvTiles.at(static_cast<size_t>(force.tile)) : c.tile;
    ConvChoice wanted = made(family, tile, std::max(1u, force.split), p, caps);
    if (has_room(wanted, p, caps)) return wanted;
  }
  return c;
}

}  // namespace

uint64_t shared_bytes(const ConvChoice& c, bool fp16, uint32_t subgroup_size) {
  // shaders/common/conv_tile.glsl: two halves of both tiles, rows one group longer. Cooperative
  // matrices are handed over in the same memory.
  uint64_t tiles =
      2ull * (c.tile.pixels * (c.step + 1) + 8 * c.step * (c.tile.groups + 1)) * (fp16 ? 16 : 32);
  if (c.family == ConvFamily::coop)
    return std::max<uint64_t>(
        tiles, c.threads / std::max(1u, subgroup_size) * kMatrixSize * (kMatrixSize / 4 + 1) * 16);
  return tiles + (c.split > 1 ? c.threads : 1) * 32ull;
}

ConvChoice choose_convolution(const ConvProblem& p, const Caps& caps) {
  if (p.depthwise()) return {ConvFamily::depthwise};
  if (p.groups > 1) return {ConvFamily::direct};
  const bool coop = p.fp16 && caps.cooperative != Cooperative::none;
  switch (caps.force.family) {
    case ConvFamily::direct:
      return {ConvFamily::direct};
    case ConvFamily::tile:
      return forced(ConvFamily::tile, p, caps);
    case ConvFamily::coop:
      return forced(coop ? ConvFamily::coop : ConvFamily::tile, p, caps);
    default:
      break;
  }
  if (p.stem) return {ConvFamily::stem};
  if (!caps.staging) return {ConvFamily::direct};
  return by_rules(coop ? ConvFamily::coop : ConvFamily::tile, p, caps);
}

}  // namespace vultus::gpu
