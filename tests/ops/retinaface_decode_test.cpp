#include "host/ops/retinaface_decode.hpp"

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

Attributes sized(int64_t height, int64_t width, int64_t most) {
  return {{"height", height}, {"width", width}, {"most", most}};
}

/// Outputs of a network that sees nothing in a picture of 64x64: 168 priors.
struct Rows {
  Tensor loc{DType::f32, {1, 168, 4}}, conf{DType::f32, {1, 168, 2}},
      landms{DType::f32, {1, 168, 10}};

  Rows() {
    for (size_t i = 0; i < 168; ++i)
      conf.as<float>()[2 * i] = 1;
  }
  void face(size_t prior, float score) {
    conf.as<float>()[2 * prior] = 1 - score;
    conf.as<float>()[2 * prior + 1] = score;
  }
  Tensor decoded(int64_t most = 8) const {
    return run("RetinaFaceDecode", sized(64, 64, most),
               operands(loc.clone(), conf.clone(), landms.clone()));
  }
};

std::vector<int> priors_in(const Tensor& faces) {
  std::vector<int> priors;
  for (int64_t r = 0; r < faces.shape()[0]; ++r)
    priors.push_back(static_cast<int>(faces.as<float>()[static_cast<size_t>(16 * r + 15)]));
  return priors;
}

TEST(RetinaFacePriors, CountsOfCommonSizesAreThePublishedOnes) {
  EXPECT_EQ(retinaface_prior_count(640, 640), 16800);
  EXPECT_EQ(retinaface_prior_count(480, 640), 12600);
  EXPECT_EQ(retinaface_prior_count(720, 1280), 37840);
  EXPECT_EQ(retinaface_prior_count(1080, 1920), 85200);
  EXPECT_EQ(retinaface_prior_count(1920, 1080), 85200);
}

TEST(RetinaFacePriors, OddSizesRoundTheGridUpAndKeepTheOrder) {
  constexpr int64_t kHeight = 241, kWidth = 321;
  const int64_t count = retinaface_prior_count(kHeight, kWidth);
  ASSERT_EQ(count, 2 * (41 * 31 + 21 * 16 + 11 * 8));
  auto prior = [&](int64_t i) { return retinaface_prior(kHeight, kWidth, i); };
  EXPECT_EQ(prior(0).x, 4);
  EXPECT_EQ(prior(0).y, 4);
  EXPECT_EQ(prior(0).size, 16);
  EXPECT_EQ(prior(1).size, 32);
  EXPECT_EQ(prior(2).x, 12);
  EXPECT_EQ(prior(2 * 41).y, 12);
  EXPECT_EQ(prior(2 * 41 * 31).size, 64);
  EXPECT_EQ(prior(2 * 41 * 31).x, 8);
  EXPECT_EQ(prior(count - 1).size, 512);
  EXPECT_EQ(prior(count - 1).y, 7.5 * 32);
}

TEST(RetinaFaceDecode, RecordedOutputsGiveTheRecordedFaces) {
  VULTUS_NEED_SHARED(npz, "reference/retinaface_mnet025_dynamic.head_pose_480x270.npz");
  VULTUS_NEED_SHARED(json_path, "reference/detections_intel_head_pose_two_faces.json");
  auto arrays = read_npz(npz);
  const int64_t priors = retinaface_prior_count(270, 480);
  auto rows = [&](const char* name, int64_t columns) {
    Tensor t = arrays.at(name).clone();
    t.reshape({1, priors, columns});
    return t;
  };
  const Tensor faces = run("RetinaFaceDecode", sized(270, 480, 32),
                           operands(rows("loc", 4), rows("conf", 2), rows("landms", 10)));
  std::ifstream file(json_path);
  auto expected = nlohmann::json::parse(file)["frames"][0]["faces"];
  ASSERT_GT(expected.size(), 0u);
  for (size_t i = 0; i < expected.size(); ++i) {
    auto at = [&](size_t k) { return double{faces.as<float>()[16 * i + k]}; };
    EXPECT_EQ(at(15), expected[i]["prior"].get<int>());
    EXPECT_NEAR(at(4), expected[i]["score"].get<double>(), 1e-6);
    // The file holds three decimals.
    for (size_t k = 0; k < 4; ++k)
      EXPECT_NEAR(at(k), expected[i]["box"][k].get<double>(), 6e-4);
    for (size_t k = 0; k < 10; ++k)
      EXPECT_NEAR(at(5 + k), expected[i]["points"][k / 2][k % 2].get<double>(), 6e-4);
  }
  EXPECT_EQ(faces.as<float>()[16 * expected.size() + 15], -1);
}

TEST(RetinaFaceDecode, FacesComeByScoreThenByPriorAndTheRestIsMinusOne) {
  Rows rows;
  rows.face(100, 0.75f);  // far from each other
  rows.face(4, 0.75f);
  rows.face(126, 0.875f);
  EXPECT_EQ(priors_in(rows.decoded(5)), (std::vector<int>{126, 4, 100, -1, -1}));
  EXPECT_EQ(priors_in(rows.decoded(2)), (std::vector<int>{126, 4})) << "the best are kept";
}

TEST(RetinaFaceDecode, NearOneTheOtherClassTellsScoresApart) {
  Rows rows;
  for (auto [prior, other] : {std::pair{4u, 1e-9f}, {100u, 1e-12f}, {126u, 1e-10f}}) {
    rows.conf.as<float>()[2 * prior] = other;
    rows.conf.as<float>()[2 * prior + 1] = 1;
  }
  EXPECT_EQ(priors_in(rows.decoded(3)), (std::vector<int>{100, 126, 4}));
}

TEST(RetinaFaceDecode, AScoreOfExactlyTheThresholdIsNoFace) {
  Rows rows;
  rows.face(4, 0.5f);
  EXPECT_EQ(priors_in(rows.decoded(1)), std::vector<int>{-1});
}

TEST(RetinaFaceDecode, OverlapsCountWholePixels) {
  // Priors 0 and 2 are squares of 16 whose middles lie 8 apart: 17x9 of 2 * 17x17 - 17x9 pixels.
  const double overlap = 17.0 * 9 / (2 * 17 * 17 - 17 * 9);
  Rows rows;
  rows.face(0, 0.9f);
  rows.face(2, 0.8f);
  for (auto [threshold, second] : {std::pair{overlap + 1e-4, 2}, {overlap - 1e-4, -1}}) {
    Attributes attributes = sized(64, 64, 2);
    attributes["nms_threshold"] = static_cast<float>(threshold);
    const Tensor faces = run("RetinaFaceDecode", attributes,
                             operands(rows.loc.clone(), rows.conf.clone(), rows.landms.clone()));
    EXPECT_EQ(priors_in(faces), (std::vector<int>{0, second}));
  }
}

TEST(RetinaFaceDecode, ScoresAndSizesThatAreNotNumbersAreNoFaces) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Rows rows;
  rows.face(4, 0.9f);
  rows.loc.as<float>()[4 * 4 + 2] = nan;
  rows.face(50, 0.9f);
  rows.loc.as<float>()[4 * 50 + 3] = 1e4f;  // its exponential is no number
  rows.conf.as<float>()[2 * 100] = nan;
  rows.conf.as<float>()[2 * 100 + 1] = nan;
  rows.conf.as<float>()[2 * 120] = nan;
  rows.conf.as<float>()[2 * 120 + 1] = 0.9f;
  EXPECT_EQ(priors_in(rows.decoded(2)), (std::vector<int>{-1, -1}));
}

TEST(RetinaFaceDecode, OtherShapesAndWrongAttributesAreRefused) {
  const Rows rows;
  auto refused = [&](Attributes attributes) {
    return refusal("RetinaFaceDecode", std::move(attributes),
                   operands(rows.loc.clone(), rows.conf.clone(), rows.landms.clone()));
  };
  expect_in("needs 1x", refused(sized(64, 96, 4)));
  expect_in("most 0", refused(sized(64, 64, 0)));
  expect_in("height 0", refused(sized(0, 64, 4)));
  Attributes attributes = sized(64, 64, 4);
  attributes["nms_threshold"] = std::numeric_limits<float>::quiet_NaN();
  expect_in("thresholds", refused(attributes));
  attributes["nms_threshold"] = int64_t{1};
  expect_in("nms_threshold must be a float, not an integer", refused(attributes));
}

}  // namespace
}  // namespace vultus::test
