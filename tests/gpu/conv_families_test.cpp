#include <gtest/gtest.h>

#include "gpu/context.hpp"
#include "gpu/ops/conv_choice.hpp"
#include "gpu/recording.hpp"
#include "tests/gpu/random_conv.hpp"

namespace vultus::gpu {
namespace {

using test::ConvKind;

/// Forces a family while it lives.
class Forced {
 public:
  Forced(Device& device, const ConvForce& force) : device_(device) {
    auto done = force_convolutions(device, force);
    EXPECT_TRUE(done) << done.error().what;
  }
  ~Forced() { EXPECT_TRUE(force_convolutions(device_, {})); }
  Forced(const Forced&) = delete;
  Forced& operator=(const Forced&) = delete;

 private:
  Device& device_;
};

/// At least 1,000 convolutions in batches of `count`; the extras and the precision take turns.
void expect_thousand(Device& device, uint32_t seed, uint32_t count, ConvKind kind,
                     bool with_scale = false) {
  const uint32_t last = (1000 + count - 1) / count * count;
  fmt::print("seeds {} to {}\n", seed, seed + last - 1);
  uint32_t turn = 0;
  for (uint32_t done = 0; done < last; done += count, ++turn) {
    test::ConvExtras extras = test::kConvExtras[turn / 2 % test::kConvExtras.size()];
    extras.scaled = extras.scaled && with_scale;
    test::expect_random_convs(device, seed + done, count, kind, extras,
                              turn % 2 ? Precision::fp32 : Precision::fp16);
  }
}

TEST(GpuConvFamilies, DirectMatchesTheReference) {
  VULTUS_NEED_GPU(device);
  Forced forced(device, {ConvFamily::direct});
  expect_thousand(device, 100000, 84, ConvKind::window, true);
}

TEST(GpuConvFamilies, DirectOnPixelsMatchesTheReference) {
  VULTUS_NEED_GPU(device);
  Forced forced(device, {ConvFamily::direct});
  expect_thousand(device, 110000, 84, ConvKind::pointwise, true);
}

TEST(GpuConvFamilies, DirectInGroupsMatchesTheReference) {
  VULTUS_NEED_GPU(device);
  expect_thousand(device, 120000, 100, ConvKind::grouped);
}

TEST(GpuConvFamilies, DepthwiseMatchesTheReference) {
  VULTUS_NEED_GPU(device);
  expect_thousand(device, 130000, 100, ConvKind::depthwise);
}

TEST(GpuConvFamilies, StemsMatchTheReference) {
  VULTUS_NEED_GPU(device);
  expect_thousand(device, 140000, 168, ConvKind::stem);
}

// Every tile, K in one piece and split as far as the device has room, fp16 and fp32: 2,240 cases.
TEST(GpuConvFamilies, TilesMatchTheReference) {
  VULTUS_NEED_GPU(device);
  uint32_t seed = 200000, turn = 0;
  for (int tile = 0; tile < static_cast<int>(kConvTiles.size()); ++tile)
    for (uint32_t split : {1u, 2u, 4u, 8u}) {
      Forced forced(device, {ConvFamily::tile, tile, split});
      for (Precision precision : {Precision::fp16, Precision::fp32}) {
        const auto& extras = test::kConvExtras[turn++ % test::kConvExtras.size()];
        SCOPED_TRACE(fmt::format("tile {} split {}", tile, split));
        test::expect_random_convs(
            device, seed, 40, turn % 3 ? ConvKind::window : ConvKind::pointwise, extras, precision);
        seed += 40;
      }
    }
  fmt::print("seeds 200000 to {}\n", seed - 1);
}

// The kernel for cooperative matrices with the matrices in plain arithmetic: its addresses, teams,
// hand-over and epilogue are those of the real ones. 1,008 cases.
TEST(GpuConvFamilies, CooperativeMatricesMatchTheReferenceWhenEmulated) {
  VULTUS_NEED_GPU(device);
  auto opened = open({.selector = device.info().name,
                      .validation = validation_available(),
                      .poison = true,
                      .emulate_cooperative = true,
                      .cache_folder = "-"});
  ASSERT_TRUE(opened) << opened.error().what;
  uint32_t seed = 300000, turn = 0;
  for (int tile = 0; tile < static_cast<int>(kConvTiles.size()); ++tile)
    for (uint32_t split : {1u, 2u, 4u}) {
      Forced forced(**opened, {ConvFamily::coop, tile, split});
      SCOPED_TRACE(fmt::format("tile {} split {}", tile, split));
      const auto& extras = test::kConvExtras[turn++ % test::kConvExtras.size()];
      test::expect_random_convs(**opened, seed, 48,
                                turn % 3 ? ConvKind::window : ConvKind::pointwise, extras,
                                Precision::fp16);
      seed += 48;
    }
  fmt::print("seeds 300000 to {}\n", seed - 1);
  for (const std::string& message : take_validation_messages(**opened))
    ADD_FAILURE() << message;
}

// What TilesMatchTheReference relies on: a forced tile is the one that runs, if the device has
// room.
TEST(GpuConvFamilies, AForcedTileIsUsed) {
  VULTUS_NEED_GPU(device);
  auto context = Context::create({.selector = device.info().name, .allow_software = true});
  ASSERT_TRUE(context) << context.error().what;
  std::vector<test::Operand> operands;
  operands.push_back({Tensor(DType::f32, {1, 72, 9, 9})});
  operands.push_back(test::constant(Tensor(DType::f32, {72, 72, 3, 3})));
  auto graph = test::single_node("Conv", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  int used = 0;
  for (int tile = 0; tile < static_cast<int>(kConvTiles.size()); ++tile)
    for (uint32_t split : {1u, 2u, 4u, 8u}) {
      ASSERT_TRUE((*context)->force_convolutions({ConvFamily::tile, tile, split}));
      PartitionSpec spec;
      spec.nodes = {0};
      spec.inputs = graph->inputs;
      spec.outputs = graph->outputs;
      spec.precision = Precision::fp16;
      auto recording = build_partition(**context, *graph, spec);
      ASSERT_TRUE(recording) << recording.error().what;
      for (const Dispatch& d : recording->dispatches) {
        if (d.kernel == "relayout") continue;
        ASSERT_EQ(d.kernel, "conv_tile");
        const ConvTile& wanted = kConvTiles.at(static_cast<size_t>(tile));
        bool same = d.spec.at(7) == wanted.pixels && d.spec.at(8) == wanted.groups &&
                    d.spec.at(10) == split;
        EXPECT_TRUE(same || split > 1) << "tile " << tile;
        used += same ? 1 : 0;
      }
    }
  fmt::print("{} of {} combinations have room\n", used, 4 * kConvTiles.size());
  EXPECT_GE(used, 20);
}

}  // namespace
}  // namespace vultus::gpu
