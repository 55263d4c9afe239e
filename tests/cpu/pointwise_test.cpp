#include "host/ops/pointwise_program.hpp"
#include "tests/cpu/net.hpp"

namespace vultus {
namespace {

using test::Net;

ValueId pointwise(Net& net, ValueId a, ValueId b, PointwiseOp first, PointwiseOp second) {
  Node node;
  set_pointwise_program(node, {.inputs = 2,
                               .immediates = {},
                               .code = {{first, 0, 1, 0}, {second, 2, 2, 2}},
                               .results = {3},
                               .types = {DType::f32}});
  return net.node("Pointwise", {a, b}, std::move(node.attributes));
}

/// A convolution after it shows whether the padding of blocks stayed zero.
void finish(Net& net, ValueId x, ValueId other, PointwiseOp second) {
  net.output(net.conv(pointwise(net, x, other, PointwiseOp::mul, second), 7, 3, 90));
}

TEST(CpuPointwise, EveryLayoutMatchesThePlainKernel) {
  for (int64_t channels : {3, 8, 16, 17, 32, 98})
    for (PointwiseOp second : {PointwiseOp::relu, PointwiseOp::exp})
      for (const Shape& shape : {Shape{1, channels, 6, 5}, Shape{channels, 1, 1}, Shape{},
                                 Shape{1, 1, 6, 5}, Shape{5}}) {
        Net plain, last, blocked;
        finish(plain, plain.input({1, channels, 6, 5}, 1), plain.random(shape, 5), second);
        finish(last, last.channels_last(channels, 6, 5, 1), last.random(shape, 5), second);
        finish(blocked, blocked.blocked(channels, 6, 5, 1), blocked.random(shape, 5), second);
        const std::string what = std::to_string(channels) + " channels times " + shape.str();
        plain.expect_agreement(1e-5, "plain, " + what);
        last.expect_agreement(1e-5, "channels last, " + what);
        blocked.expect_agreement(1e-5, "blocked, " + what);
      }
}

}  // namespace
}  // namespace vultus
