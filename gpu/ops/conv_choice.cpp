#include "gpu/ops/conv_choice.hpp"

#include <algorithm>
#include <bit>

#include "gpu/cooperative.hpp"

namespace vultus::gpu {

namespace {

constexpr uint32_t kMostSplit = 16;
constexpr uint32_t kMostThreads = 512;
constexpr uint32_t kStep = 4;
constexpr size_t kMostCandidates = 8;
constexpr uint32_t kMostPixels = 8;
constexpr uint32_t kDirectThreads = 32;  // of a workgroup of shaders/conv.comp
// Below this many threads a GPU is better served by twice as many that do half the work.
constexpr uint32_t kManyThreads = 32768;
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

uint64_t direct_tiles(const ConvProblem& p, uint32_t pixels) {
  return p.pixels / p.width * ((p.width + pixels - 1) / pixels);
}

ConvChoice direct(uint32_t pixels) {
  return {.family = ConvFamily::direct, .pixels = pixels};
}

ConvChoice direct_by_rules(const ConvProblem& p, const Caps& caps) {
  const bool enough = direct_tiles(p, kMostPixels) * p.out_groups() >= kManyThreads;
  const uint32_t most = caps.software || enough ? kMostPixels : kMostPixels / 2;
  return direct(std::min(most, std::bit_ceil(p.width)));  // not more than there are
}

ConvChoice made(ConvFamily family, const ConvTile& tile, uint32_t split, const ConvProblem& p,
                const Caps& caps) {
  // A matrix is two groups deep; a short K needs no deeper step than it has.
  uint32_t share = family == ConvFamily::coop ? kMatrixSize / 8 : 1;
  uint32_t step = std::max(share * split, std::min(kStep, std::bit_ceil(p.k_groups())));
  uint32_t threads = family == ConvFamily::coop ? subgroups(tile) * caps.subgroup_size
                                                : tile.pixels / tile.per_thread * tile.groups;
  return {.family = family, .tile = tile, .split = split, .step = step, .threads = threads * split};
}

bool has_room(const ConvChoice& c, const ConvProblem& p, const Caps& caps) {
  if (c.family == ConvFamily::direct)
    return (direct_tiles(p, c.pixels) + kDirectThreads - 1) / kDirectThreads <=
               caps.max_workgroups[0] &&
           p.out_groups() <= caps.max_workgroups[1];
  const bool full_subgroups = c.family == ConvFamily::coop && caps.subgroup_size_control;
  return c.threads <= caps.max_invocations && c.threads % c.step == 0 &&
         (!full_subgroups || c.threads / caps.subgroup_size <= caps.max_workgroup_subgroups) &&
         shared_bytes(c, p.fp16, caps.subgroup_size) <= caps.max_shared_bytes &&
         (p.pixels + c.tile.pixels - 1) / c.tile.pixels <= caps.max_workgroups[0] &&
         (p.out_groups() + c.tile.groups - 1) / c.tile.groups <= caps.max_workgroups[1];
}

/// Two workgroups for every core; a shortfall of a twentieth is not worth a smaller tile.
bool enough(uint64_t workgroups, const Caps& caps) {
  return workgroups * 10 >= uint64_t{caps.cores} * 19;
}

/// Not wider than the output.
bool suits(const ConvTile& tile, const ConvProblem& p) {
  return tile.groups <= std::max(2u, std::bit_ceil(p.out_groups()));
}

ConvChoice by_rules(ConvFamily family, const ConvProblem& p, const Caps& caps) {
  ConvChoice best = direct_by_rules(p, caps);
  for (const ConvTile& tile : kConvTiles) {
    if (!suits(tile, p)) continue;
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

/// Candidates, each once, as long as the device has room for them and the list has.
class Candidates {
 public:
  Candidates(const ConvProblem& p, const Caps& caps) : p_(p), caps_(caps) {}

  void add(const ConvChoice& c) {
    const auto same = [&](const ConvChoice& other) { return tactic_of(other) == tactic_of(c); };
    if (list.size() < kMostCandidates && has_room(c, p_, caps_) && std::ranges::none_of(list, same))
      list.push_back(c);
  }
  void add_direct() {
    for (uint32_t pixels = std::min(kMostPixels, std::bit_ceil(p_.width)); pixels > 1; pixels /= 2)
      add(direct(pixels));
  }
  /// The rule's choice within a family and, with `neighbours`, what is a step away from it.
  void add_family(ConvFamily family, bool neighbours) {
    const ConvChoice best = by_rules(family, p_, caps_);
    if (best.family == ConvFamily::direct) return;
    add(best);
    if (!neighbours) return;
    const uint32_t tile = tactic_of(best).tile;
    auto add_made = [&](uint32_t index, uint32_t split) {
      if (index < kConvTiles.size() && suits(kConvTiles[index], p_) && split <= kMostSplit)
        add(made(family, kConvTiles[index], split, p_, caps_));
    };
    add_made(tile + 1, best.split);
    add_made(tile, best.split * 2);
    if (tile > 0) add_made(tile - 1, best.split);
    if (best.split > 1) add_made(tile, best.split / 2);
  }

  std::vector<ConvChoice> list;

 private:
  const ConvProblem& p_;
  const Caps& caps_;
};

}  // namespace

ConvTactic tactic_of(const ConvChoice& c) {
  if (c.family != ConvFamily::tile && c.family != ConvFamily::coop)
    return {.family = c.family, .pixels = c.pixels};
  auto same = [&](const ConvTile& tile) {
    return tile.pixels == c.tile.pixels && tile.groups == c.tile.groups;
  };
  const auto at = std::ranges::find_if(kConvTiles, same);
  return {
      .family = c.family, .tile = static_cast<uint32_t>(at - kConvTiles.begin()), .split = c.split};
}

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
  if (p.groups > 1) return direct_by_rules(p, caps);
  const bool coop = p.fp16 && caps.cooperative != Cooperative::none;
  switch (caps.force.family) {
    case ConvFamily::direct:
      return direct_by_rules(p, caps);
    case ConvFamily::tile:
      return forced(ConvFamily::tile, p, caps);
    case ConvFamily::coop:
      return forced(coop ? ConvFamily::coop : ConvFamily::tile, p, caps);
    default:
      break;
  }
  if (p.stem) return {ConvFamily::stem};
  if (!caps.staging) return direct_by_rules(p, caps);
  return by_rules(coop ? ConvFamily::coop : ConvFamily::tile, p, caps);
}

std::vector<ConvChoice> convolution_candidates(const ConvProblem& p, const Caps& caps) {
  const ConvChoice rule = choose_convolution(p, caps);
  if (rule.family == ConvFamily::depthwise || rule.family == ConvFamily::stem ||
      caps.force != ConvForce{})
    return {rule};
  Candidates made(p, caps);
  made.list = {rule};
  if (rule.family == ConvFamily::direct) made.add_direct();
  if (p.groups == 1) {
    // On software devices each costs a compilation, and staging never pays.
    const bool neighbours = !caps.software;
    if (p.fp16 && caps.cooperative != Cooperative::none)
      made.add_family(ConvFamily::coop, neighbours && rule.family != ConvFamily::tile);
    made.add_family(ConvFamily::tile, neighbours && rule.family != ConvFamily::coop);
  }
  made.add_direct();
  return made.list;
}

}  // namespace vultus::gpu
