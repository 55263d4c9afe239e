#include <algorithm>
#include <cstring>

#include "host/cpu/builder.hpp"
#include "tests/cpu/net.hpp"

namespace vultus {
namespace {

using test::Attributes;
using test::Ints;
using test::Net;
using test::random_tensor;
using test::with;

// A convolution or two and one more operation: rounding only, and Winograd's in blocked layouts.
constexpr double kTolerance = 1e-5;

/// Runs `finish` on a value in row-major, channels last and blocked memory, with channel counts
/// that fill blocks and such that do not.
template <class F>
void in_every_layout(F finish) {
  for (int64_t channels : {1, 3, 7, 8, 9, 16, 17, 32, 98}) {
    Net plain, last, blocked;
    finish(plain, plain.input({1, channels, 6, 5}, 1));
    finish(last, last.channels_last(channels, 6, 5, 1));
    finish(blocked, blocked.blocked(channels, 6, 5, 1));
    std::string what = std::to_string(channels) + " channels";
    plain.expect_agreement(kTolerance, "plain, " + what);
    last.expect_agreement(kTolerance, "channels last, " + what);
    blocked.expect_agreement(kTolerance, "blocked, " + what);
  }
}

TEST(CpuLayouts, ActivationsWorkInPlaceAndBeside) {
  for (const char* op : {"Relu", "Sigmoid", "HardSwish", "HardSigmoid", "Tanh", "LeakyRelu"})
    in_every_layout([&](Net& net, ValueId x) {
      ValueId y = net.node(op, {x});
      net.output(net.node("Add", {y, x}));
      net.output(net.conv(net.node(op, {y}), 5, 1, 77));
    });
}

TEST(CpuLayouts, AClipThatLiftsZeroKeepsThePaddingZero) {
  in_every_layout([](Net& net, ValueId x) {
    ValueId least = net.constant(Tensor::of<float>({}, {0.25f}));
    ValueId most = net.constant(Tensor::of<float>({}, {0.5f}));
    net.output(net.conv(net.node("Clip", {x, least, most}), 5, 3, 77));
  });
}

TEST(CpuLayouts, BinaryOperatorsOfEqualShapes) {
  for (const char* op : {"Add", "Sub", "Mul", "Max", "Min"})
    in_every_layout([&](Net& net, ValueId x) {
      ValueId y = net.node("Relu", {x});
      ValueId z = net.node(op, {x, y});
      net.output(net.conv(z, 5, 1, 77));
      net.output(net.node(op, {net.input(net.graph.shape(x), 5), z}));
    });
}

TEST(CpuLayouts, DivisionKeepsThePaddingZero) {
  in_every_layout([](Net& net, ValueId x) {
    ValueId y = net.node("Sigmoid", {x});
    net.output(net.conv(net.node("Div", {x, y}), 5, 3, 77));
  });
}

TEST(CpuLayouts, BinaryOperatorsWithAScaleForEveryChannelOrOne) {
  for (const char* op : {"Add", "Sub", "Mul", "Div"})
    in_every_layout([&](Net& net, ValueId x) {
      int64_t channels = net.graph.shape(x)[1];
      ValueId y = net.node(op, {x, net.random({1, channels, 1, 1}, 5, 0.5f, 2)});
      ValueId z = net.node(op, {y, net.random({}, 6, 0.5f, 2)});
      ValueId pooled = net.node("Sigmoid", {net.node("GlobalAveragePool", {z})});
      net.output(net.conv(net.node(op, {z, pooled}), 5, 3, 77));
      net.output(net.node("Mul", {net.random({channels, 1, 1}, 8), z}));
    });
}

TEST(CpuLayouts, AddWithAnActivation) {
  for (Activation kind : {Activation::relu, Activation::sigmoid})
    in_every_layout([&](Net& net, ValueId x) {
      ValueId y = net.node("Relu", {x});
      net.output(net.conv(net.node("Add", {x, y}, with({}, {kind})), 5, 3, 77));
    });
}

TEST(CpuLayouts, BatchNormalizationWithAndWithoutAnActivation) {
  for (Activation kind : {Activation::none, Activation::relu, Activation::sigmoid})
    in_every_layout([&](Net& net, ValueId x) {
      int64_t c = net.graph.shape(x)[1];
      auto norm = [&](ValueId v) {
        return net.node("BatchNormalization",
                        {v, net.random({c}, 5), net.random({c}, 6), net.random({c}, 7),
                         net.random({c}, 8, 0.1f, 2)},
                        with({}, {kind}));
      };
      ValueId y = norm(x);
      net.output(net.node("Add", {x, y}));
      net.output(net.conv(norm(y), 5, 3, 77));
    });
}

TEST(CpuLayouts, InstanceNormalization) {
  in_every_layout([](Net& net, ValueId x) {
    int64_t c = net.graph.shape(x)[1];
    ValueId y = net.node("InstanceNormalization", {x, net.random({c}, 5), net.random({c}, 6)});
    net.output(net.conv(y, 5, 3, 77));
  });
}

TEST(CpuLayouts, PoolsOfEveryKind) {
  for (Attributes attributes :
       {Attributes{{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}},
        Attributes{{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}},
        Attributes{
            {"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 2}}, {"pads", Ints{0, 0, 1, 1}}},
        Attributes{
            {"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", int64_t{1}}},
        Attributes{{"kernel_shape", Ints{3, 3}},
                   {"pads", Ints{1, 1, 1, 1}},
                   {"count_include_pad", int64_t{1}}}})
    in_every_layout([&](Net& net, ValueId x) {
      net.output(net.node("AveragePool", {x}, attributes));
      Attributes max = attributes;
      max.erase("count_include_pad");
      net.output(net.conv(net.node("MaxPool", {x}, max), 5, 1, 77));
    });
}

TEST(CpuLayouts, GlobalAveragePoolOfLargeMaps) {
  for (int64_t channels : {3, 16, 70, 98}) {
    Net net;
    net.output(net.node("GlobalAveragePool", {net.channels_last(channels, 57, 41, 1)}));
    net.output(net.node("GlobalAveragePool", {net.input({2, channels, 57, 41}, 9)}));
    net.expect_agreement(kTolerance);
  }
}

TEST(CpuLayouts, NearestResizeByWholeAndOddFactors) {
  for (Ints size : {Ints{12, 10}, Ints{7, 13}, Ints{3, 4}})
    for (const char* mode : {"asymmetric", "half_pixel"})
      in_every_layout([&](Net& net, ValueId x) {
        Ints sizes = {1, net.graph.shape(x)[1], size[0], size[1]};
        ValueId s = net.constant(Tensor::of<int64_t>({4}, std::span<const int64_t>(sizes)));
        ValueId y = net.node("Resize", {x, kNoValue, kNoValue, s},
                             {{"mode", std::string("nearest")},
                              {"nearest_mode", std::string("floor")},
                              {"coordinate_transformation_mode", std::string(mode)}});
        net.output(net.conv(y, 5, 3, 77));
      });
}

TEST(CpuLayouts, LinearResize) {
  in_every_layout([](Net& net, ValueId x) {
    ValueId scales = net.constant(Tensor::of<float>({4}, {1, 1, 2, 2}));
    net.output(net.node("Resize", {x, kNoValue, scales}, {{"mode", std::string("linear")}}));
  });
}

TEST(CpuLayouts, ConcatenatedChannels) {
  in_every_layout([](Net& net, ValueId x) {
    ValueId a = net.node("Relu", {x}), b = net.node("Sigmoid", {x});
    ValueId all = net.node("Concat", {x, a, b, a}, {{"axis", int64_t{1}}});
    net.output(net.conv(all, 5, 3, 77));
    net.output(net.node("Add", {a, b}));
    ValueId coordinates = net.random({1, 3, 6, 5}, 9);
    net.output(net.conv(net.node("Concat", {b, coordinates}, {{"axis", int64_t{1}}}), 9, 1, 78));
  });
}

TEST(CpuLayouts, ConcatenationsInsideConcatenations) {
  for (int64_t channels : {16, 20}) {
    Net net;
    ValueId x = net.blocked(channels, 6, 6, 1);
    Attributes axis = {{"axis", int64_t{1}}};
    ValueId a = net.conv(x, channels, 1, 20), b = net.conv(a, channels, 1, 30);
    ValueId inner = net.node("Concat", {a, b}, axis);
    ValueId outer = net.node("Concat", {inner, x}, axis);
    ValueId twice = net.node("Concat", {outer, inner}, axis);
    net.output(net.conv(twice, 8, 1, 40));
    net.output(net.node("Relu", {inner}));
    net.expect_agreement(kTolerance);
  }
}

TEST(CpuLayouts, PartsOfAConcatenationAreNotWrittenOver) {
  Net net;
  ValueId x = net.channels_last(8, 6, 6, 1);
  Attributes rows = {{"axis", int64_t{0}}};
  ValueId a = net.node("Relu", {x});
  ValueId whole = net.node("Concat", {a, net.node("Sigmoid", {x})}, rows);
  ValueId b = net.node("Tanh", {a});  // the last reader of `a`, which lies inside `whole`
  net.output(net.node("Concat", {whole, b}, rows));
  net.expect_agreement(kTolerance);
}

TEST(CpuLayouts, TransposesAndReshapes) {
  in_every_layout([](Net& net, ValueId x) {
    int64_t c = net.graph.shape(x)[1];
    ValueId last = net.node("Transpose", {x}, {{"perm", Ints{0, 2, 3, 1}}});
    ValueId shape = net.constant(Tensor::of<int64_t>({3}, {1, 30, c}));
    ValueId rows = net.node("Reshape", {last, shape});
    net.output(net.node("Softmax", {rows}, {{"axis", int64_t{-1}}}));
    net.output(net.node("Transpose", {rows}, {{"perm", Ints{2, 1, 0}}}));
    net.output(net.node("Flatten", {x}));
  });
}

TEST(CpuLayouts, SoftmaxOverEveryAxis) {
  for (int64_t axis : {0, 1, 2, 3})
    for (int opset : {9, 13}) {
      Net net;
      net.output(net.node("Softmax", {net.input({2, 5, 3, 4}, 1)}, {{"axis", axis}}, opset));
      net.expect_agreement(kTolerance);
    }
}

TEST(CpuLayouts, SoftmaxOfTwoClasses) {
  Net net;
  ValueId x = net.input({1, 50, 2}, 1);
  net.output(net.node("Softmax", {net.node("Mul", {x, net.random({}, 2, 20, 30)})},
                      {{"axis", int64_t{-1}}}));
  net.expect_agreement(kTolerance);
}

TEST(CpuLayouts, CoordinatesBehindChannels) {
  for (int64_t batch : {1, 2})
    in_every_layout([&](Net& net, ValueId x) {
      if (batch == 2) x = net.node("Concat", {x, x}, {{"axis", int64_t{0}}});
      ValueId whole =
          net.node("Concat", {x, net.random({batch, 1, 6, 5}, 7), net.random({batch, 2, 6, 5}, 8)},
                   {{"axis", int64_t{1}}});
      net.output(net.conv(whole, 24, 1, 77));
      net.output(net.conv(x, 5, 1, 78));
    });
}

TEST(CpuMatrix, GemmOfEveryOrientation) {
  for (int64_t trans_a : {0, 1})
    for (int64_t trans_b : {0, 1})
      for (float alpha : {1.0f, 0.5f}) {
        Net net;
        ValueId a = net.input(trans_a ? Shape{33, 5} : Shape{5, 33}, 1);
        ValueId b = net.random(trans_b ? Shape{17, 33} : Shape{33, 17}, 2);
        Attributes attributes = {
            {"transA", trans_a}, {"transB", trans_b}, {"alpha", alpha}, {"beta", 2.0f}};
        net.output(
            net.node("Gemm", {a, b, net.random({17}, 3)}, with(attributes, {Activation::relu})));
        net.output(net.node("Gemm", {a, b, net.random({5, 1}, 4)}, attributes));
        net.output(net.node("Gemm", {a, b}, attributes));
        net.expect_agreement(kTolerance);
      }
}

TEST(CpuMatrix, MatMulOfATransposedRightSide) {
  Net net;
  ValueId x = net.input({2, 3, 20}, 1), y = net.input({2, 5, 20}, 2);
  net.output(net.node("MatMul", {x, y}, {{"transB", int64_t{1}}}));
  net.output(net.node("MatMul", {x, net.random({7, 20}, 3)}, {{"transB", int64_t{1}}}));
  net.output(net.node("MatMul", {x, x}, {{"transB", int64_t{1}}}));
  net.expect_agreement();
}

TEST(CpuMatrix, MatMulOfConstantsAndOfResults) {
  Net net;
  ValueId x = net.input({2, 3, 4, 5}, 1);
  net.output(net.node("MatMul", {x, net.random({5, 7}, 2)}));
  net.output(net.node("MatMul", {x, net.input({2, 3, 5, 6}, 3)}));
  net.output(net.node("MatMul", {x, net.input({3, 5, 6}, 4)}));
  net.output(net.node("MatMul", {x, net.random({5}, 5)}));
  net.output(net.node("MatMul", {net.input({4, 5}, 6), net.input({5, 4}, 7)}));
  net.expect_agreement(kTolerance);
}

TEST(CpuMemory, RunsRepeatToTheLastBit) {
  Net net;
  ValueId x = net.blocked(48, 12, 12, 1);
  ValueId y = net.node("Relu", {net.conv(x, 48, 3, 20)});
  net.output(net.node("Concat", {y, x}, {{"axis", int64_t{1}}}));
  auto device = open_cpu(2);
  auto partition = (*device)->compile(net.graph, net.spec());
  ASSERT_TRUE(partition) << partition.error().what;
  ASSERT_TRUE((*partition)->upload(net.graph.inputs[0], net.inputs[0].view()));
  Tensor first, again;
  ASSERT_TRUE((*partition)->submit());
  ASSERT_TRUE((*partition)->download(net.graph.outputs[0], first));
  for (int run = 0; run < 3; ++run) {
    ASSERT_TRUE((*partition)->submit());
    ASSERT_TRUE((*partition)->download(net.graph.outputs[0], again));
    EXPECT_EQ(std::memcmp(first.bytes(), again.bytes(), first.size_bytes()), 0);
  }
}

TEST(CpuMemory, ALongChainSharesItsMemory) {
  Net net;
  ValueId x = net.input({1, 16, 32, 32}, 1);
  for (uint32_t i = 0; i < 10; ++i)
    x = net.conv(x, 16, 3, 10 * i);
  net.output(x);
  auto device = open_cpu(1);
  auto partition = (*device)->compile(net.graph, net.spec());
  ASSERT_TRUE(partition) << partition.error().what;
  PartitionStats stats = (*partition)->stats();
  EXPECT_EQ(stats.dispatches - stats.reorders, 10);
  EXPECT_LT(stats.arena_bytes * 2, stats.unplanned_bytes);
  EXPECT_GT(stats.weight_bytes, 10 * 16 * 16 * 9 * 4);
  net.expect_agreement(kTolerance);
}

/// Runs the steps of a compiled network after filling its memory with `filling`.
std::vector<float> run_over(const Net& net, std::byte filling) {
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  PartitionSpec spec = net.spec();
  auto program = cpu::Builder(net.graph, spec, engine).finish();
  EXPECT_TRUE(program) << program.error().what;
  std::fill_n(program->arena.bytes(), program->arena.size_bytes(), filling);
  for (size_t i = 0; i < net.inputs.size(); ++i)
    std::memcpy(program->inputs.at(net.graph.inputs[i]), net.inputs[i].bytes(),
                net.inputs[i].size_bytes());
  for (cpu::Step& step : program->steps)
    EXPECT_TRUE(cpu::execute(step, stream));
  std::vector<float> results;
  for (ValueId v : net.graph.outputs) {
    auto first = reinterpret_cast<const float*>(program->outputs.at(v));
    results.insert(results.end(), first, first + net.graph.shape(v).elements());
  }
  return results;
}

TEST(CpuMemory, NothingDependsOnWhatTheMemoryHeld) {
  Net net;
  ValueId x = net.blocked(98, 9, 7, 1);
  ValueId y = net.node("Sigmoid", {x});
  ValueId z = net.node("Concat", {net.conv(y, 32, 3, 20), x, net.random({1, 3, 9, 7}, 2)},
                       {{"axis", int64_t{1}}});
  ValueId pooled = net.node("GlobalAveragePool", {z});
  net.output(net.conv(net.node("Mul", {z, pooled}), 40, 3, 30));
  net.output(net.node("Add", {y, x}));
  // All bits set: not a number in every element.
  EXPECT_EQ(run_over(net, std::byte{0xff}), run_over(net, std::byte{0}));
  net.expect_agreement(kTolerance);
}

TEST(CpuMemory, OutputsThatAreInputsOrConstantsCanBeRead) {
  Net net;
  ValueId x = net.input({1, 3, 4, 4}, 1);
  net.output(net.node("Flatten", {x}));
  net.output(net.node("Relu", {x}));
  net.expect_agreement(0);
}

}  // namespace
}  // namespace vultus
