#include "host/run/shared_bytes.hpp"

#include <gtest/gtest.h>

#include "host/run/session.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/picture.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {
namespace {

/// A crop of `size` x `size` pixels of a shared picture.
Result<Session> crop_session(const std::vector<Device*>& devices, int64_t size,
                             const std::shared_ptr<SharedBytes>& bytes,
                             Precision precision = Precision::fp32) {
  Graph graph;
  graph.inputs = {graph.add_value("picture", DType::u8, bytes->shape()),
                  graph.add_value("size", DType::i32, {2}),
                  graph.add_value("rectangles", DType::f32, {1, 4})};
  const ValueId out = graph.add_value("crop", DType::f32, {1, 3, size, size});
  graph.outputs = {out};
  graph.value(out).producer = 0;
  graph.nodes = {
      {"crop", "CropWarp", 18, {{"height", size}, {"width", size}}, graph.inputs, {out}}};
  SessionOptions options{.devices = devices, .precision = precision};
  options.shared = {{"picture", bytes}};
  return Session::from_graph(std::move(graph), options);
}

/// The first `size` x `size` pixels.
void expect_corner(Session& session, const Tensor& picture, int height, int width, int size) {
  const float half = static_cast<float>(size) / 2, side = static_cast<float>(size);
  ASSERT_TRUE(session.set_input("size", picture_size(height, width).view()));
  const Tensor rectangle = Tensor::of<float>({1, 4}, {half, half, side, side});
  ASSERT_TRUE(session.set_input("rectangles", rectangle.view()));
  auto ran = session.run();
  ASSERT_TRUE(ran) << ran.error().what;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < size; ++y)
      for (int x = 0; x < size; ++x)
        ASSERT_EQ(session.output(0).as<float>()[static_cast<size_t>((c * size + y) * size + x)],
                  float(picture.as<uint8_t>()[static_cast<size_t>(3 * (y * width + x) + c)]));
}

std::span<const std::byte> bytes_of(const Tensor& t) {
  return {t.bytes(), t.size_bytes()};
}

TEST(SharedBytes, GoUpOnceForAllSessionsOfADevice) {
  VULTUS_NEED_GPU(gpu);
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  auto bytes = std::make_shared<SharedBytes>(4096);
  auto first = crop_session({&gpu, cpu->get()}, 4, bytes);
  auto second = crop_session({&gpu, cpu->get()}, 7, bytes, Precision::fp16);
  auto third = crop_session({cpu->get()}, 5, bytes);
  for (const auto* session : {&first, &second, &third})
    ASSERT_TRUE(*session) << session->error().what;
  // Odd rows, and pictures of other sizes from one to the next.
  int64_t expected = 0, frames = 0;
  for (auto [height, width] : {std::pair{13, 11}, {9, 31}, {9, 31}, {20, 20}, {36, 37}, {7, 7}}) {
    SCOPED_TRACE(frames);
    const Tensor picture = random_picture(height, width, static_cast<uint32_t>(++frames));
    ASSERT_TRUE(bytes->set(bytes_of(picture)));
    for (int again = 0; again < 2; ++again) {
      expect_corner(*first, picture, height, width, 4);
      expect_corner(*second, picture, height, width, 7);
      expect_corner(*third, picture, height, width, 5);
    }
    expected += int64_t{3} * height * width;
  }
  EXPECT_EQ(bytes->transfers().uploads, frames);
  EXPECT_EQ(bytes->transfers().upload_bytes, expected);
  EXPECT_EQ(first->transfers().upload_bytes, 2 * frames * (8 + 16)) << "size and rectangle alone";
  EXPECT_EQ(third->transfers().upload_bytes, 0);
}

TEST(SharedBytes, PartsLieOneBehindTheOtherAndGoUpTogether) {
  VULTUS_NEED_GPU(gpu);
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  auto bytes = std::make_shared<SharedBytes>(1000);
  auto on_gpu = crop_session({&gpu}, 4, bytes);
  auto on_cpu = crop_session({cpu->get()}, 5, bytes);
  ASSERT_TRUE(on_gpu && on_cpu);
  const Tensor picture = random_picture(13, 11, 3);
  const auto all = bytes_of(picture);
  // The rows of one picture: no matter where they are cut.
  for (size_t cut : {1u, 33u, 100u, 428u}) {
    SCOPED_TRACE(cut);
    const std::array parts{all.first(cut), all.subspan(cut, 0), all.subspan(cut)};
    ASSERT_TRUE(bytes->set(parts));
    expect_corner(*on_gpu, picture, 13, 11, 4);
    expect_corner(*on_cpu, picture, 13, 11, 5);
  }
  EXPECT_EQ(bytes->transfers().uploads, 4);
  EXPECT_EQ(bytes->transfers().upload_bytes, 4 * 13 * 11 * 3);
  const Tensor large = random_picture(13, 13, 3);
  const std::array parts{bytes_of(large), bytes_of(large)};
  EXPECT_TRUE(contains(bytes->set(parts).error().what, "do not fit"));
}

TEST(SharedBytes, MisuseIsRefusedInASentence) {
  VULTUS_NEED_GPU(gpu);
  auto bytes = std::make_shared<SharedBytes>(300);
  auto session = crop_session({&gpu}, 2, bytes);
  ASSERT_TRUE(session) << session.error().what;
  ASSERT_TRUE(session->set_input("size", picture_size(10, 10).view()));
  ASSERT_TRUE(session->set_input("rectangles", Tensor(DType::f32, {1, 4}).view()));
  EXPECT_TRUE(contains(session->run().error().what, "never set"));
  const Tensor large = random_picture(11, 10, 1);
  EXPECT_TRUE(contains(bytes->set(bytes_of(large)).error().what, "do not fit"));
  EXPECT_TRUE(
      contains(session->set_input("picture", large.view()).error().what, "takes uint8 300"));
  const Tensor same = random_picture(10, 10, 1);
  EXPECT_TRUE(contains(session->set_input("picture", same.view()).error().what, "is shared"));
  ASSERT_TRUE(bytes->set(bytes_of(same)));
  EXPECT_TRUE(session->run());
}

TEST(SharedBytes, OnlyBytesCanBeShared) {
  VULTUS_NEED_GPU(gpu);
  std::vector<Operand> operands;
  operands.push_back({Tensor(DType::f32, {4})});
  auto graph = single_node("Relu", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  SessionOptions options{.devices = {&gpu}};
  options.shared = {{graph->value(graph->inputs[0]).name, std::make_shared<SharedBytes>(4)}};
  auto session = Session::from_graph(*graph, options);
  ASSERT_FALSE(session);
  EXPECT_TRUE(contains(session.error().what, "can be shared")) << session.error().what;
}

}  // namespace
}  // namespace vultus::test
