#include "host/ops/retinaface_decode.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus::test {
namespace {

struct Rows {
  Tensor loc, conf, landms;
};

/// Outputs in which about `share` of the priors are faces, in values that fp16 holds.
Rows random_rows(int64_t height, int64_t width, double share, uint32_t seed) {
  const int64_t priors = retinaface_prior_count(height, width);
  Rows rows{random_halves({1, priors, 4}, seed, -1.5f, 1.5f),
            random_halves({1, priors, 2}, seed + 1, 0, 0.25f),
            random_halves({1, priors, 10}, seed + 2, -2, 2)};
  std::mt19937 engine(seed + 3);
  auto conf = rows.conf.as<float>();
  for (size_t i = 0; i < conf.size(); i += 2) {
    const bool face = std::uniform_real_distribution<double>()(engine) < share;
    // Sixteen different scores: many are equal.
    conf[i] = static_cast<float>(engine() % 16) / 64;
    conf[i + 1] = 1 - conf[i];
    if (!face) std::swap(conf[i], conf[i + 1]);
  }
  return rows;
}

Result<Graph> graph_of(const Rows& rows, int64_t height, int64_t width, int64_t most) {
  std::vector<Operand> operands;
  for (const Tensor* t : {&rows.loc, &rows.conf, &rows.landms})
    operands.push_back({t->clone()});
  return single_node("RetinaFaceDecode", {{"height", height}, {"width", width}, {"most", most}},
                     operands);
}

void expect_same_faces(Device& gpu, const Rows& rows, int64_t height, int64_t width, int64_t most) {
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  auto graph = graph_of(rows, height, width, most);
  ASSERT_TRUE(graph) << graph.error().what;
  const std::vector<const Tensor*> inputs{&rows.loc, &rows.conf, &rows.landms};
  auto expected = run_on(**cpu, *graph, inputs);
  ASSERT_TRUE(expected) << expected.error().what;
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    SCOPED_TRACE(name_of(precision));
    auto got = run_on(gpu, *graph, inputs, precision);
    ASSERT_TRUE(got) << got.error().what;
    for (size_t r = 0; r < static_cast<size_t>(most); ++r) {
      auto at = [&](const std::vector<Tensor>& t, size_t k) {
        return double{t[0].as<float>()[16 * r + k]};
      };
      ASSERT_EQ(at(*got, 15), at(*expected, 15)) << "row " << r;
      for (size_t k = 0; k < 15; ++k)
        ASSERT_NEAR(at(*got, k), at(*expected, k), 1e-3) << "row " << r << ", " << k;
    }
  }
}

TEST(GpuRetinaFaceDecode, GivesTheFacesOfTheCpuWithManyEqualScores) {
  VULTUS_NEED_GPU(device);
  uint32_t seed = 1;
  for (auto [height, width] : {std::pair{64, 64}, {192, 192}, {97, 301}, {480, 270}, {17, 1}})
    for (double share : {0.0, 0.002, 0.05, 1.0})
      for (int64_t most : {1, 16, 128}) {
        SCOPED_TRACE(std::to_string(width) + ", share " + std::to_string(share));
        expect_same_faces(device, random_rows(height, width, share, seed += 7), height, width,
                          most);
      }
}

TEST(GpuRetinaFaceDecode, ALargePictureInWhichEveryPriorIsAFace) {
  VULTUS_NEED_GPU(device);
  expect_same_faces(device, random_rows(720, 1280, 1, 5), 720, 1280, 128);
}

TEST(GpuRetinaFaceDecode, WhatIsNoNumberIsNoFace) {
  VULTUS_NEED_GPU(device);
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  Rows rows = random_rows(96, 96, 0.3, 9);
  std::mt19937 engine(11);
  for (Tensor* t : {&rows.loc, &rows.conf})
    for (float& v : t->as<float>())
      if (engine() % 5 == 0) v = std::array{nan, infinity, -infinity}[engine() % 3];
  // A score that is not a number where the face's own says one: the CPU takes that one.
  for (size_t i = 0; i < rows.conf.as<float>().size(); i += 2)
    if (!std::isfinite(rows.conf.as<float>()[i + 1])) rows.conf.as<float>()[i + 1] = nan;
  expect_same_faces(device, rows, 96, 96, 64);
}

TEST(GpuRetinaFaceDecode, RowsThatOtherLayersReadAreNotRounded) {
  VULTUS_NEED_GPU(device);
  auto graph = graph_of(random_rows(64, 64, 0.1, 3), 64, 64, 16);
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_TRUE(device.supports(*graph, graph->nodes[0], Precision::fp16).ok);
  Node relu;
  relu.op = "Relu";
  relu.inputs = {graph->nodes[0].outputs[0]};
  relu.outputs = {graph->add_value("y", DType::f32, {16, 16})};
  graph->nodes.push_back(relu);
  EXPECT_TRUE(device.supports(*graph, graph->nodes[0], Precision::fp32).ok);
  const Support half = device.supports(*graph, graph->nodes[0], Precision::fp16);
  EXPECT_FALSE(half.ok);
  EXPECT_NE(half.reason.find("fp32"), std::string::npos) << half.reason;
}

}  // namespace
}  // namespace vultus::test
