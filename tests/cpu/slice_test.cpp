#include "tests/cpu/net.hpp"

namespace vultus {
namespace {

using test::Ints;
using test::Net;

/// Channels 0 to `first`, on to `second`, and the rest, of a value in every layout.
void expect_cuts(int64_t channels, int64_t first, int64_t second) {
  for (int layout = 0; layout < 3; ++layout) {
    Net net;
    ValueId x = layout == 0   ? net.input({1, channels, 6, 5}, 1)
                : layout == 1 ? net.channels_last(channels, 6, 5, 1)
                              : net.blocked(channels, 6, 5, 1);
    auto integers = [&](int64_t v) { return net.constant(Tensor::of<int64_t>({1}, {v})); };
    const Ints cuts{0, first, second, channels};
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      ValueId part = net.node("Slice", {x, integers(cuts[i]), integers(cuts[i + 1]), integers(1)});
      net.output(net.node("Transpose", {part}, {{"perm", Ints{0, 2, 3, 1}}}));
      net.output(net.conv(part, 5, 1, 70 + static_cast<uint32_t>(i)));
      ValueId rows = net.node("Slice", {part, integers(1), integers(-1), integers(2)});
      net.output(net.node("Relu", {rows}));
    }
    net.expect_agreement(1e-5,
                         std::to_string(channels) + " channels, layout " + std::to_string(layout));
  }
}

TEST(CpuSlice, ChannelsAreCutAtAndWithinBlocks) {
  expect_cuts(48, 16, 32);
  expect_cuts(32, 8, 12);
  expect_cuts(40, 16, 39);
  expect_cuts(9, 1, 2);
}

TEST(CpuSlice, StepsAndReversals) {
  Net net;
  ValueId x = net.channels_last(12, 6, 5, 1);
  auto integers = [&](const Ints& v) {
    return net.constant(
        Tensor::of<int64_t>({static_cast<int64_t>(v.size())}, std::span<const int64_t>(v)));
  };
  net.output(net.node(
      "Slice", {x, integers({1, -1}), integers({11, -100}), integers({1, 3}), integers({3, -1})}));
  net.output(
      net.node("Slice", {x, integers({11}), integers({-100}), integers({1}), integers({-20})}));
  net.expect_agreement();
}

}  // namespace
}  // namespace vultus
