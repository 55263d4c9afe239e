#include "gpu/ops/conv_choice.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "gpu/cooperative.hpp"

namespace vultus::gpu {
namespace {

/// A desktop card with tensor cores.
Caps card(uint32_t cores) {
  Caps caps;
  caps.subgroup_size = 32;
  caps.storage16 = true;
  caps.max_workgroups[0] = 0x7fffffff;
  caps.max_shared_bytes = 48 << 10;
  caps.max_invocations = 1024;
  caps.cores = cores;
  caps.staging = true;
  caps.cooperative = Cooperative::khr;
  return caps;
}
/// What every Vulkan device has at least, with staging.
Caps least() {
  Caps caps;
  caps.subgroup_size = 4;
  caps.cores = 8;
  caps.staging = true;
  return caps;
}
Caps software() {
  Caps caps;
  caps.software = true;
  caps.subgroup_size = 8;
  caps.max_shared_bytes = 32 << 10;
  caps.max_invocations = 1024;
  return caps;
}

ConvProblem square(uint64_t map, uint32_t channels, uint32_t taps = 9) {
  return {.pixels = map * map,
          .width = static_cast<uint32_t>(map),
          .in_channels = channels,
          .out_channels = channels,
          .taps = taps};
}

uint64_t workgroups(const ConvChoice& c, const ConvProblem& p) {
  return (p.pixels + c.tile.pixels - 1) / c.tile.pixels *
         ((p.out_groups() + c.tile.groups - 1) / c.tile.groups);
}

// The rows of the table for a part of 132 cores: 3x3 convolutions of the landmark network.
TEST(ConvChoice, LargeMapsGetLargeTilesAndSmallOnesSplitK) {
  const Caps caps = card(132);
  ConvChoice c = choose_convolution(square(64, 128), caps);
  EXPECT_EQ(c.family, ConvFamily::coop);
  EXPECT_EQ(c.tile.pixels, 64u);
  EXPECT_EQ(c.tile.groups * 8, 32u);
  EXPECT_EQ(workgroups(c, square(64, 128)), 256u);

  uint32_t last_split = 1;
  for (uint64_t map : {32, 16, 8, 4}) {
    ConvProblem p = square(map, 256);
    c = choose_convolution(p, caps);
    EXPECT_EQ(c.family, ConvFamily::coop);
    // Teams: what the device can keep busy. The smallest maps end at the limit of the split.
    const bool limit = c.split == 16 || c.step * 4 > p.k_groups();
    EXPECT_TRUE(limit || workgroups(c, p) * c.split * 10 >= 132u * 19) << map;
    EXPECT_GE(c.split, last_split) << map;
    last_split = c.split;
  }
  EXPECT_EQ(c.tile.pixels, 16u);
  EXPECT_EQ(c.split, 16u);
}

TEST(ConvChoice, ABatchOfEightFillsTheDeviceWithoutSplitting) {
  ConvProblem p = square(32, 256);
  p.pixels *= 8;
  ConvChoice c = choose_convolution(p, card(132));
  EXPECT_EQ(c.tile.pixels, 128u);
  EXPECT_EQ(c.split, 1u);
}

TEST(ConvChoice, ASmallDeviceIsFilledByTheBiggestTile) {
  ConvChoice c = choose_convolution(square(64, 128), card(8));
  EXPECT_EQ(c.tile.pixels, 128u);
  EXPECT_EQ(c.split, 1u);
}

TEST(ConvChoice, FewOutputChannelsGetANarrowTile) {
  ConvProblem p{.pixels = 320 * 320, .in_channels = 16, .out_channels = 16};
  ConvChoice c = choose_convolution(p, card(132));
  EXPECT_EQ(c.tile.groups, 2u);
  EXPECT_EQ(c.tile.pixels, 64u);
  EXPECT_EQ(c.step, 2u);
}

TEST(ConvChoice, FamiliesFollowFromTheShape) {
  const Caps caps = card(132);
  ConvProblem depthwise = square(32, 64);
  depthwise.groups = 64;
  EXPECT_EQ(choose_convolution(depthwise, caps).family, ConvFamily::depthwise);
  ConvProblem grouped = square(32, 64);
  grouped.groups = 4;
  EXPECT_EQ(choose_convolution(grouped, caps).family, ConvFamily::direct);
  ConvProblem stem{.pixels = 4096, .in_channels = 3, .out_channels = 32, .taps = 9, .stem = true};
  EXPECT_EQ(choose_convolution(stem, caps).family, ConvFamily::stem);
  ConvProblem single = square(32, 64);
  single.fp16 = false;
  EXPECT_EQ(choose_convolution(single, caps).family, ConvFamily::tile);
}

TEST(ConvChoice, SoftwareDevicesStageNothing) {
  EXPECT_EQ(choose_convolution(square(64, 128), software()).family, ConvFamily::direct);
}

TEST(ConvChoice, AThreadHasNoMorePixelsThanItsRow) {
  EXPECT_EQ(choose_convolution(square(64, 128), software()).pixels, 8u);
  EXPECT_EQ(choose_convolution(square(5, 128), software()).pixels, 8u);
  EXPECT_EQ(choose_convolution(square(4, 128), software()).pixels, 4u);
  EXPECT_EQ(choose_convolution(square(2, 128), software()).pixels, 2u);
  EXPECT_EQ(choose_convolution(square(1, 128), software()).pixels, 1u);
  for (const ConvChoice& c : convolution_candidates(square(4, 128), software()))
    EXPECT_LE(c.pixels, 4u);
}

TEST(ConvChoice, WhatIsForcedWinsWhereItCan) {
  Caps caps = software();
  caps.force = {ConvFamily::tile, 6, 4};
  ConvChoice c = choose_convolution(square(8, 64), caps);
  EXPECT_EQ(c.family, ConvFamily::tile);
  EXPECT_EQ(c.tile.pixels, 16u);
  EXPECT_EQ(c.split, 4u);
  ConvProblem depthwise = square(32, 64);
  depthwise.groups = 64;
  EXPECT_EQ(choose_convolution(depthwise, caps).family, ConvFamily::depthwise);
  caps = card(132);
  caps.force.family = ConvFamily::direct;
  EXPECT_EQ(choose_convolution(square(64, 128), caps).family, ConvFamily::direct);
}

void expect_room(const ConvChoice& c, const ConvProblem& p, const Caps& caps) {
  auto workgroups = [](uint64_t items, uint64_t each) { return (items + each - 1) / each; };
  if (c.family == ConvFamily::direct) {
    ASSERT_GE(c.pixels, 1u);
    ASSERT_LE(c.pixels, 8u);
    // 32 threads, each with so many pixels of a row.
    const uint64_t threads = p.pixels / p.width * workgroups(p.width, c.pixels);
    EXPECT_LE(workgroups(threads, 32), caps.max_workgroups[0]);
    EXPECT_LE(p.out_groups(), caps.max_workgroups[1]);
    return;
  }
  EXPECT_EQ(p.groups, 1u);
  EXPECT_LE(c.threads, caps.max_invocations);
  EXPECT_LE(shared_bytes(c, p.fp16, caps.subgroup_size), caps.max_shared_bytes);
  EXPECT_LE(workgroups(p.pixels, c.tile.pixels), caps.max_workgroups[0]);
  EXPECT_LE(workgroups(p.out_groups(), c.tile.groups), caps.max_workgroups[1]);
  if (c.family == ConvFamily::coop) {
    EXPECT_TRUE(p.fp16);
    EXPECT_NE(caps.cooperative, Cooperative::none);
    EXPECT_LE(c.threads / caps.subgroup_size, caps.max_workgroup_subgroups);
  }
  // What shaders/common/conv_tile.glsl relies on.
  EXPECT_EQ(c.threads % c.step, 0u);
  EXPECT_EQ(c.step % c.split, 0u);
  EXPECT_GE(c.step / c.split, c.family == ConvFamily::coop ? kMatrixSize / 8 : 1);
}

/// Like `card`, but a workgroup holds few subgroups.
Caps narrow() {
  Caps caps = card(132);
  caps.subgroup_size_control = true;
  caps.max_workgroup_subgroups = 4;
  return caps;
}
/// Without fast shared memory.
Caps phone() {
  Caps caps = least();
  caps.staging = false;
  return caps;
}

template <class Visit>
void for_each_problem(Visit visit) {
  for (const Caps& caps : {card(132), card(20), card(1), least(), software(), narrow(), phone()})
    for (bool fp16 : {true, false})
      for (uint32_t width : {1u, 3u, 16u, 100u, 1024u})
        for (uint32_t in : {5u, 8u, 64u, 1280u})
          for (uint32_t out : {1u, 24u, 256u, 1280u})
            for (uint32_t taps : {1u, 9u})
              visit(ConvProblem{.pixels = uint64_t{width} * width,
                                .width = width,
                                .in_channels = in,
                                .out_channels = out,
                                .taps = taps,
                                .fp16 = fp16},
                    caps);
}

TEST(ConvChoice, EveryChoiceHasRoomOnEveryDevice) {
  for_each_problem([](const ConvProblem& p, const Caps& caps) {
    expect_room(choose_convolution(p, caps), p, caps);
  });
}

TEST(ConvChoice, AWorkgroupHoldsNoMoreSubgroupsThanTheDeviceAllows) {
  const ConvProblem p = square(8, 256);
  EXPECT_GT(choose_convolution(p, card(132)).threads, 4u * 32);
  const ConvChoice c = choose_convolution(p, narrow());
  EXPECT_EQ(c.family, ConvFamily::coop);
  EXPECT_LE(c.threads, 4u * 32);
}

TEST(ConvCandidates, AreFewDistinctAndHaveRoomAndBeginWithTheRules) {
  size_t most = 0;
  for_each_problem([&](const ConvProblem& p, const Caps& caps) {
    const std::vector<ConvChoice> list = convolution_candidates(p, caps);
    ASSERT_FALSE(list.empty());
    EXPECT_LE(list.size(), 8u);
    EXPECT_EQ(tactic_of(list[0]), tactic_of(choose_convolution(p, caps)));
    for (size_t i = 0; i < list.size(); ++i) {
      expect_room(list[i], p, caps);
      for (size_t j = 0; j < i; ++j)
        EXPECT_NE(tactic_of(list[i]), tactic_of(list[j]));
    }
    most = std::max(most, list.size());
  });
  EXPECT_EQ(most, 8u);
}

TEST(ConvCandidates, AreOfEveryFamilyThatComputesTheShape) {
  const auto list = convolution_candidates(square(32, 128), card(132));
  auto count = [&](ConvFamily family) {
    return std::ranges::count_if(list, [&](const ConvChoice& c) { return c.family == family; });
  };
  EXPECT_GE(count(ConvFamily::coop), 3);
  EXPECT_GE(count(ConvFamily::tile), 1);
  EXPECT_GE(count(ConvFamily::direct), 1);
  for (const ConvChoice& c : convolution_candidates(square(32, 128), phone()))
    EXPECT_NE(c.family, ConvFamily::coop);
}

TEST(ConvCandidates, OfConvolutionGroupsAreDirect) {
  ConvProblem p = square(32, 64);
  p.groups = 4;
  const auto list = convolution_candidates(p, card(132));
  EXPECT_GE(list.size(), 2u);
  for (const ConvChoice& c : list)
    EXPECT_EQ(c.family, ConvFamily::direct);
}

TEST(ConvCandidates, ThereIsOneWhereNothingCanBeChosen) {
  ConvProblem depthwise = square(32, 64);
  depthwise.groups = 64;
  EXPECT_EQ(convolution_candidates(depthwise, card(132)).size(), 1u);
  ConvProblem stem = square(64, 3);
  stem.stem = true;
  EXPECT_EQ(convolution_candidates(stem, card(132)).size(), 1u);
  Caps forced = card(132);
  forced.force.family = ConvFamily::tile;
  EXPECT_EQ(convolution_candidates(square(32, 128), forced).size(), 1u);
}

}  // namespace
}  // namespace vultus::gpu
