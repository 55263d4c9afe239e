#include "host/graph/fused.hpp"

#include "tests/cpu/net.hpp"
#include "tests/support/conv_epilogue_case.hpp"

namespace vultus::test {
namespace {

TEST(CpuConvEpilogue, EveryCombinationMatchesTheReference) {
  auto device = open_cpu(2);
  ASSERT_TRUE(device);
  for (uint32_t seed = 0; seed < 100; ++seed) {
    ConvEpilogueCase c = random_conv_epilogue(seed);
    SCOPED_TRACE(c.str());
    OpCase what = as_op_case(c);
    what.tolerance_fp32 = what.tolerance_fp16 = 1e-5;
    expect_op(**device, what, [&](size_t output, const Index& at) {
      return conv_epilogue_reference(c, what, output, at);
    });
  }
}

SecondOutput second_of(int64_t channels, const Epilogue& epilogue) {
  SecondOutput second{{}, {}, epilogue};
  for (int64_t c = 0; c < channels; ++c) {
    second.scale.push_back(0.5f + 0.01f * static_cast<float>(c));
    second.shift.push_back(0.3f - 0.02f * static_cast<float>(c));
  }
  return second;
}

/// Gives the last node a second output, and shows both.
void show_both(Net& net, const Epilogue& epilogue) {
  Node& node = net.graph.nodes.back();
  set_second_output(node, second_of(net.graph.shape(node.outputs[0])[1], epilogue));
  const Shape shape = net.graph.shape(node.outputs[0]);
  node.outputs.push_back(net.graph.add_value("second", DType::f32, shape));
  net.graph.value(node.outputs[1]).producer = static_cast<NodeId>(net.graph.nodes.size()) - 1;
  net.output(node.outputs[0]);
  net.output(node.outputs[1]);
}

TEST(CpuConvEpilogue, BlocksOfChannelsThatAreNotFull) {
  for (int64_t channels : {32, 24, 98})
    for (Activation kind : {Activation::none, Activation::relu, Activation::sigmoid})
      for (bool last : {false, true}) {
        Net net;
        ValueId x = net.blocked(32, 8, 12, 1);
        ValueId small = net.conv(net.input({1, 6, 4, 4}, 20), channels, 1, 21);
        Attributes attributes = with({{"addend_last", int64_t{last}}}, {kind});
        net.conv(x, channels, 3, 30, attributes, {kNoValue, small});
        show_both(net, {kind});
        net.expect_agreement(4e-6, std::to_string(channels) + " channels, activation " +
                                       std::to_string(static_cast<int>(kind)));
      }
}

TEST(CpuConvEpilogue, AResidualIsNotWrittenOverWhereItIsReadAgain) {
  Net net;
  ValueId x = net.blocked(32, 8, 8, 1);
  ValueId small = net.conv(net.input({1, 6, 4, 4}, 20), 32, 1, 21);
  ValueId sum = net.conv(x, 32, 3, 30, {}, {x, small});
  show_both(net, {Activation::relu});
  net.output(net.node("Add", {sum, x}));
  net.expect_agreement(4e-6);
}

TEST(CpuPool, SecondOutputsInEveryLayout) {
  for (const char* op : {"MaxPool", "AveragePool"})
    for (Activation kind : {Activation::none, Activation::relu, Activation::sigmoid})
      for (bool blocked : {false, true}) {
        Net net;
        ValueId x = blocked ? net.blocked(24, 8, 6, 1) : net.channels_last(10, 8, 6, 1);
        net.node(op, {x}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
        show_both(net, {kind});
        net.expect_agreement(4e-6, op);
      }
}

}  // namespace
}  // namespace vultus::test
