#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "models/face/nms.hpp"
#include "models/face/priors.hpp"
#include "models/face/retinaface.hpp"
#include "models/face/ultra_light.hpp"
#include "tests/support/support.hpp"

namespace vultus::face {
namespace {

Detection face(Box box, double score, int prior) {
  Detection d;
  d.box = box;
  d.score = score;
  d.prior = prior;
  return d;
}

TEST(RetinaFacePriors, CountsOfCommonSizesAreThePublishedOnes) {
  EXPECT_EQ(retinaface_prior_count(640, 640), 16800);
  EXPECT_EQ(retinaface_prior_count(640, 480), 12600);
  EXPECT_EQ(retinaface_prior_count(1280, 720), 37840);
  EXPECT_EQ(retinaface_prior_count(1920, 1080), 85200);
  EXPECT_EQ(retinaface_prior_count(1080, 1920), 85200);
}

TEST(RetinaFacePriors, OddSizesRoundTheGridUpAndKeepTheOrder) {
  std::vector<Prior> priors = retinaface_priors(321, 241);
  ASSERT_EQ(priors.size(), static_cast<size_t>(2 * (41 * 31 + 21 * 16 + 11 * 8)));
  EXPECT_DOUBLE_EQ(priors[0].cx, 4.0 / 321);
  EXPECT_DOUBLE_EQ(priors[0].cy, 4.0 / 241);
  EXPECT_DOUBLE_EQ(priors[0].w, 16.0 / 321);
  EXPECT_DOUBLE_EQ(priors[1].w, 32.0 / 321);
  EXPECT_DOUBLE_EQ(priors[2].cx, 12.0 / 321);
  EXPECT_DOUBLE_EQ(priors[2 * 41].cy, 12.0 / 241);
  EXPECT_DOUBLE_EQ(priors[2 * 41 * 31].h, 64.0 / 241);
  EXPECT_DOUBLE_EQ(priors.back().h, 512.0 / 241);
}

TEST(NonMaximumSuppression, EqualScoresKeepTheirOrder) {
  Box box{0, 0, 10, 10};
  auto kept =
      suppress({face(box, 0.9, 3), face(box, 0.9, 1), face({50, 0, 60, 10}, 0.9, 0)}, 0.4, true);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].prior, 3);
  EXPECT_EQ(kept[1].prior, 0);
}

TEST(NonMaximumSuppression, AnOverlapOfExactlyTheThresholdIsKept) {
  // Without +1: 10x10 boxes shifted by 2.5 share 75 of 125, IoU 0.6.
  std::vector<Detection> pair{face({0, 0, 10, 10}, 0.9, 0), face({2.5, 0, 12.5, 10}, 0.8, 1)};
  EXPECT_EQ(suppress(pair, 0.6, false).size(), 2u);
  EXPECT_EQ(suppress(pair, 0.5999, false).size(), 1u);
}

TEST(NonMaximumSuppression, CountingPixelsMakesTouchingBoxesOverlap) {
  EXPECT_DOUBLE_EQ(iou({0, 0, 9, 9}, {9, 0, 18, 9}, true), 10.0 / 190);
  EXPECT_DOUBLE_EQ(iou({0, 0, 9, 9}, {9, 0, 18, 9}, false), 0);
  EXPECT_DOUBLE_EQ(iou({0, 0, 0, 0}, {5, 5, 5, 5}, false), 0);
}

TEST(NonMaximumSuppression, ADroppedBoxSuppressesNothing) {
  auto kept = suppress(
      {face({0, 0, 10, 10}, 0.9, 0), face({3, 0, 13, 10}, 0.8, 1), face({6, 0, 16, 10}, 0.7, 2)},
      0.4, false);
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].prior, 2);
}

TEST(RetinaFaceDecode, RecordedOutputsGiveTheRecordedFaces) {
  VULTUS_NEED_SHARED(npz, "reference/retinaface_mnet025_dynamic.head_pose_480x270.npz");
  VULTUS_NEED_SHARED(json_path, "reference/detections_intel_head_pose_two_faces.json");
  auto arrays = test::read_npz(npz);
  std::vector<Prior> priors = retinaface_priors(480, 270);
  auto faces = decode_retinaface(arrays.at("loc").as<float>(), arrays.at("conf").as<float>(),
                                 arrays.at("landms").as<float>(), priors, 480, 270, {});
  std::ifstream file(json_path);
  auto expected = nlohmann::json::parse(file)["frames"][0]["faces"];
  ASSERT_EQ(faces.size(), expected.size());
  for (size_t i = 0; i < faces.size(); ++i) {
    EXPECT_EQ(faces[i].prior, expected[i]["prior"].get<int>());
    EXPECT_NEAR(faces[i].score, expected[i]["score"].get<double>(), 1e-6);
    // The file holds three decimals.
    EXPECT_NEAR(faces[i].box.x1, expected[i]["box"][0].get<double>(), 6e-4);
    EXPECT_NEAR(faces[i].box.y2, expected[i]["box"][3].get<double>(), 6e-4);
    for (size_t m = 0; m < 5; ++m) {
      EXPECT_NEAR(faces[i].points[m].x, expected[i]["points"][m][0].get<double>(), 6e-4);
      EXPECT_NEAR(faces[i].points[m].y, expected[i]["points"][m][1].get<double>(), 6e-4);
    }
  }
}

TEST(RetinaFaceDecode, ScoresAndSizesThatAreNotNumbersAreNoFaces) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<Prior> priors{{0.5, 0.5, 0.1, 0.1}, {0.5, 0.5, 0.1, 0.1}};
  std::vector<float> loc{0, 0, 0, 0, 0, 0, nan, 0}, conf{0, nan, 0, 0.9f}, landms(20, 0.0f);
  EXPECT_TRUE(decode_retinaface(loc, conf, landms, priors, 100, 100, {}).empty());
}

TEST(UltraLightDecode, RecordedOutputsGiveTwoFacesWhereRetinaFaceSeesThem) {
  VULTUS_NEED_SHARED(npz, "reference/version-RFB-320.two_people.npz");
  VULTUS_NEED_SHARED(json_path, "reference/detections_two_people.json");
  auto arrays = test::read_npz(npz);
  auto faces = decode_ultra_light(arrays.at("scores").as<float>(), arrays.at("boxes").as<float>(),
                                  1126, 661, {});
  std::ifstream file(json_path);
  auto expected = nlohmann::json::parse(file)["frames"][0]["faces"];
  ASSERT_EQ(faces.size(), expected.size());
  for (const auto& reference : expected) {
    auto b = reference["box"].get<std::vector<double>>();
    double best = 0;
    for (const Detection& found : faces)
      best = std::max(best, iou(found.box, {b[0], b[1], b[2], b[3]}));
    // Two detectors trained on different boxes: the same face, not the same corners.
    EXPECT_GT(best, 0.5);
  }
}

}  // namespace
}  // namespace vultus::face
