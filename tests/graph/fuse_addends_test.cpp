#include "host/graph/fused.hpp"
#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

const Attributes kSamePads{{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
const Attributes kFloor{{"mode", std::string("nearest")},
                        {"coordinate_transformation_mode", std::string("asymmetric")},
                        {"nearest_mode", std::string("floor")}};

ValueId enlarged(GraphBuilder& b, ValueId x, float scale_h, float scale_w,
                 const Attributes& attributes = kFloor) {
  ValueId scales = b.constant(Tensor::of<float>({4}, {1, 1, scale_h, scale_w}));
  return b.node("Resize", {x, kNoValue, scales}, attributes);
}

TEST(FuseAddends, AnEnlargedMapGoesIntoTheConvolution) {
  for (int64_t batch : {1, 2})
    for (int64_t factor : {2, 3})
      for (bool conv_first : {true, false}) {
        GraphBuilder b;
        const int64_t size = 4 * factor;
        ValueId x = b.conv(b.input({batch, 3, size, size}), 5, kSamePads);
        ValueId up = enlarged(b, b.input({batch, 5, 4, 4}), static_cast<float>(factor),
                              static_cast<float>(factor));
        ValueId sum = b.node("Add", conv_first ? std::vector{x, up} : std::vector{up, x});
        Graph graph = b.build({b.node("Relu", {sum})});
        Graph after = expect_kept(graph, fuse_addends, 1);
        EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "Relu"}));
        EXPECT_FALSE(adds_last(after.nodes[0]));
        after = expect_kept(after, fuse_activations, 1);
        EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"});
        expect_same_results(graph, after);
      }
}

TEST(FuseAddends, EveryWayToSayThatElementsAreRepeated) {
  for (const auto& [coordinates, nearest] : {std::pair{"half_pixel", "round_prefer_floor"},
                                             {"half_pixel", "round_prefer_ceil"},
                                             {"pytorch_half_pixel", "round_prefer_floor"},
                                             {"asymmetric", "floor"}}) {
    GraphBuilder b;
    ValueId x = b.conv(b.input({1, 3, 8, 12}), 4, kSamePads);
    ValueId up =
        b.node("Resize", {b.input({1, 4, 4, 4}), kNoValue, kNoValue, b.integers({1, 4, 8, 12})},
               {{"coordinate_transformation_mode", std::string(coordinates)},
                {"nearest_mode", std::string(nearest)}});
    Graph after = expect_kept(b.build({b.node("Add", {x, up})}), fuse_addends, 1);
    EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"}) << coordinates;
  }
}

TEST(FuseAddends, OtherWaysToEnlargeStay) {
  for (const auto& [coordinates, nearest] : {std::pair{"asymmetric", "ceil"},
                                             {"asymmetric", "round_prefer_ceil"},
                                             {"align_corners", "floor"}}) {
    GraphBuilder b;
    ValueId x = b.conv(b.input({1, 3, 8, 8}), 4, kSamePads);
    Attributes attributes{{"coordinate_transformation_mode", std::string(coordinates)},
                          {"nearest_mode", std::string(nearest)}};
    ValueId up = enlarged(b, b.input({1, 4, 4, 4}), 2, 2, attributes);
    Graph after = expect_kept(b.build({b.node("Add", {x, up})}), fuse_addends, 1);
    // As an addend of the full size: the convolution has no residual that fuse_residuals had found.
    EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Resize", "Conv"})) << coordinates;
  }
  GraphBuilder b;
  ValueId x = b.conv(b.input({1, 3, 9, 8}), 4, kSamePads);
  Attributes linear = kFloor;
  linear["mode"] = std::string("linear");
  ValueId up = enlarged(b, b.input({1, 4, 3, 4}), 3, 2, linear);
  Graph after = expect_kept(b.build({b.node("Add", {x, up})}), fuse_addends, 1);
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Resize", "Conv"}));
}

TEST(FuseAddends, AfterAResidualAndAfterAnActivation) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 6, 6}), small = b.input({1, 4, 3, 3});
  ValueId residual = b.node("Add", {b.conv(x, 4, kSamePads), x});
  ValueId first = b.node("Add", {residual, enlarged(b, small, 2, 2)});
  ValueId active = b.node("LeakyRelu", {b.conv(x, 4, kSamePads)});
  ValueId second = b.node("Add", {enlarged(b, small, 2, 2), active});
  ValueId third = b.node("Add", {b.node("Relu", {b.conv(x, 4, kSamePads)}), x});
  Graph graph = b.build({first, second, third});
  Graph after = graph;
  ASSERT_TRUE(optimise(after));
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "Conv", "Conv"}));
  EXPECT_FALSE(adds_last(after.nodes[0]));
  EXPECT_TRUE(adds_last(after.nodes[1]));
  EXPECT_TRUE(adds_last(after.nodes[2]));
  expect_same_results(graph, after);
  Graph again = after;
  ASSERT_TRUE(optimise(again));
  EXPECT_EQ(ops_of(again), ops_of(after));
  expect_same_results(graph, again);
}

TEST(FuseAddends, AMapThatBroadcastsIsAnAddendToo) {
  for (const Shape& shape : {Shape{1, 4, 5, 6}, Shape{2, 4, 1, 1}, Shape{1, 4, 5, 1}}) {
    GraphBuilder b;
    ValueId x = b.conv(b.input({2, 3, 5, 6}), 4, kSamePads);
    Graph after = expect_kept(b.build({b.node("Add", {x, b.input(shape)})}), fuse_addends, 1);
    EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"}) << shape.str();
  }
  GraphBuilder b;
  ValueId x = b.conv(b.input({2, 3, 5, 6}), 4, kSamePads);
  expect_kept(b.build({b.node("Add", {x, b.weights({1, 4, 5, 6})})}), fuse_addends, 1);
}

TEST(FuseAddends, AnAddendMadeAfterTheConvolutionComesBeforeIt) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 6, 6});
  ValueId y = b.node("Relu", {b.conv(x, 4, kSamePads)});
  ValueId late = b.node("Tanh", {b.node("MaxPool", {x},
                                        {{"kernel_shape", std::vector<int64_t>{2, 2}},
                                         {"strides", std::vector<int64_t>{2, 2}}})});
  Graph graph = b.build({b.node("Add", {y, enlarged(b, late, 2, 2)})});
  Graph active = expect_kept(graph, fuse_activations, 1);
  Graph after = expect_kept(active, fuse_addends, 1, 1e-5);
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"MaxPool", "Tanh", "Conv"}));
}

TEST(FuseAddends, AResizeWithOtherReadersStaysForThem) {
  GraphBuilder b;
  ValueId x = b.conv(b.input({1, 3, 6, 6}), 4, kSamePads);
  ValueId up = enlarged(b, b.input({1, 4, 3, 3}), 2, 2);
  Graph after =
      expect_kept(b.build({b.node("Add", {x, up}), b.node("Relu", {up})}), fuse_addends, 1);
  EXPECT_EQ(count(after, "Resize"), 1);
  EXPECT_EQ(count(after, "Add"), 0);
}

TEST(FuseAddends, SharedConvolutionsAndOtherSumsStay) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 6, 6}), small = b.input({1, 4, 3, 3});
  ValueId shared = b.conv(x, 4, kSamePads);
  ValueId shown = b.conv(x, 4, kSamePads);
  ValueId grows = b.conv(b.input({1, 4, 1, 6}), 4, kSamePads);
  ValueId lanes = b.conv(x, 4, kSamePads);
  Graph graph = b.build({
      b.node("Add", {shared, enlarged(b, small, 2, 2)}),
      b.node("Relu", {shared}),
      b.node("Add", {shown, x}),  // shown is an output
      shown,
      b.node("Add", {grows, x}),  // the sum is larger than the convolution
      b.node("Add", {x, enlarged(b, small, 2, 2)}),
      b.node("Add", {lanes, b.input({1, 1, 6, 6})}),
  });
  expect_kept(graph, fuse_addends, 0);
}

TEST(FuseAddends, ASecondAddendStays) {
  GraphBuilder b;
  ValueId small = b.input({1, 4, 3, 3});
  ValueId x = b.conv(b.input({1, 3, 6, 6}), 4, kSamePads);
  ValueId sum = b.node("Add", {x, enlarged(b, small, 2, 2)});
  Graph graph = b.build({b.node("Add", {sum, b.input({1, 4, 6, 6})})});
  Graph after = expect_kept(graph, fuse_addends, 1);
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "Add"}));
}

}  // namespace
}  // namespace vultus::test
