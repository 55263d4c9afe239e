#include "host/run/random_input.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "host/run/session.hpp"
#include "tests/support/picture.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {
namespace {

Result<Graph> crops(int64_t bytes, bool constant_size) {
  std::vector<Operand> operands;
  operands.push_back({Tensor(DType::u8, {bytes})});
  operands.push_back({picture_size(20, 30), constant_size});
  operands.push_back({Tensor(DType::f32, {3, 4})});
  operands.push_back({Tensor(DType::f32, {3, 5})});
  return single_node("CropWarp", {{"height", int64_t{8}}, {"width", int64_t{8}}}, operands);
}

TEST(RandomInput, ANetworkBehindAPictureSeesOne) {
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  for (bool constant_size : {false, true})
    for (int64_t bytes : {1800, 6001, 28311552}) {
      SCOPED_TRACE(bytes);
      auto graph = crops(bytes, constant_size);
      ASSERT_TRUE(graph) << graph.error().what;
      std::vector<Tensor> made;
      std::vector<const Tensor*> inputs;
      for (ValueId v : graph->inputs)
        made.push_back(random_input(*graph, v));
      for (const Tensor& tensor : made)
        inputs.push_back(&tensor);
      if (!constant_size) {
        const auto size = made[1].as<int32_t>();
        EXPECT_GT(3 * size[0] * size[1], bytes * 9 / 10 - 200) << "most of the room";
      }
      auto got = run_on(**cpu, *graph, inputs);
      ASSERT_TRUE(got) << got.error().what;
      const auto pixels = (*got)[0].as<float>();
      for (size_t crop = 0; crop < 3; ++crop) {
        const auto one = pixels.subspan(crop * 192, 192);
        EXPECT_GT(*std::ranges::max_element(one), *std::ranges::min_element(one) + 50) << crop;
        EXPECT_EQ(std::ranges::count(one, 0.0f) < 10, true) << "inside the picture";
      }
    }
}

TEST(RandomInput, PicturesWithoutRoomForAPixelAreEmpty) {
  auto graph = crops(2, false);
  ASSERT_TRUE(graph) << graph.error().what;
  const Tensor size = random_input(*graph, graph->inputs[1]);
  EXPECT_EQ(size.as<int32_t>()[0] * size.as<int32_t>()[1], 0);
}

TEST(RandomInput, OtherInputsAreUniform) {
  Graph graph;
  graph.inputs = {graph.add_value("x", DType::f32, {1000}), graph.add_value("k", DType::i64, {3})};
  const Tensor x = random_input(graph, graph.inputs[0]),
               again = random_input(graph, graph.inputs[0]);
  EXPECT_TRUE(std::ranges::equal(x.as<float>(), again.as<float>()));
  EXPECT_LT(*std::ranges::min_element(x.as<float>()), -0.9f);
  EXPECT_GT(*std::ranges::max_element(x.as<float>()), 0.9f);
  const Tensor integers = random_input(graph, graph.inputs[1]);
  EXPECT_EQ(std::ranges::count(integers.as<int64_t>(), 0), 3);
}

}  // namespace
}  // namespace vultus::test
