#include "host/run/shared_bytes.hpp"

#include <gtest/gtest.h>

#include "host/run/session.hpp"
#include "tests/support/picture.hpp"

namespace vultus::test {
namespace {

constexpr int64_t kRoom = 4096;

/// One node that reads shared bytes on the CPU.
Result<Session> session_of(Device& cpu, Node node, const std::shared_ptr<SharedBytes>& bytes,
                           const Shape& result) {
  Graph graph;
  graph.inputs = {graph.add_value("picture", DType::u8, bytes->shape())};
  if (node.op == "CropWarp") {
    graph.inputs.push_back(graph.add_value("size", DType::i32, {2}));
    graph.inputs.push_back(graph.add_value("rectangles", DType::f32, {1, 4}));
  }
  graph.outputs = {graph.add_value("result", DType::f32, result)};
  graph.value(graph.outputs[0]).producer = 0;
  node.inputs = graph.inputs;
  node.outputs = graph.outputs;
  graph.nodes = {std::move(node)};
  SessionOptions options{.devices = {&cpu}};
  options.shared = {{"picture", bytes}};
  return Session::from_graph(std::move(graph), options);
}

TEST(SharedBytesOnTheCpu, NothingIsReadBehindWhatWasSet) {
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  auto bytes = std::make_shared<SharedBytes>(kRoom);
  auto session = session_of(
      **cpu, {"crop", "CropWarp", 18, {{"height", int64_t{4}}, {"width", int64_t{4}}}, {}, {}},
      bytes, {1, 3, 4, 4});
  ASSERT_TRUE(session) << session.error().what;
  const Tensor rectangle = Tensor::of<float>({1, 4}, {2, 2, 4, 4});
  ASSERT_TRUE(session->set_input("rectangles", rectangle.view()));
  const Tensor small = random_picture(4, 5, 1), large = random_picture(20, 20, 2);
  for (const auto& [picture, height, width, fits] : {std::tuple{&small, 4, 5, true},
                                                     {&small, 20, 20, false},
                                                     {&large, 20, 20, true},
                                                     {&small, 5, 5, false},
                                                     {&small, 5, 4, true}}) {
    ASSERT_TRUE(bytes->set({picture->bytes(), picture->size_bytes()}));
    ASSERT_TRUE(session->set_input("size", picture_size(height, width).view()));
    auto ran = session->run();
    EXPECT_EQ(static_cast<bool>(ran), fits) << height << "x" << width;
    if (!ran) {
      EXPECT_NE(ran.error().what.find("does not fit 60 bytes"), std::string::npos);
    }
  }
}

TEST(SharedBytesOnTheCpu, OperatorsThatReadEverythingWantEverything) {
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  auto bytes = std::make_shared<SharedBytes>(kRoom);
  auto session =
      session_of(**cpu, {"cast", "Cast", 18, {{"to", int64_t{1}}}, {}, {}}, bytes, {kRoom});
  ASSERT_TRUE(session) << session.error().what;
  const Tensor whole = random_picture(1, 1, 1, kRoom - 3), part = random_picture(1, 1, 1);
  ASSERT_TRUE(bytes->set({part.bytes(), part.size_bytes()}));
  auto refused = session->run();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("only 3 were set"), std::string::npos)
      << refused.error().what;
  ASSERT_TRUE(bytes->set({whole.bytes(), whole.size_bytes()}));
  auto ran = session->run();
  ASSERT_TRUE(ran) << ran.error().what;
  EXPECT_EQ(session->output(0).as<float>()[kRoom - 1],
            static_cast<float>(whole.as<uint8_t>()[static_cast<size_t>(kRoom - 1)]));
}

}  // namespace
}  // namespace vultus::test
