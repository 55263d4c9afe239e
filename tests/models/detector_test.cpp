#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "models/face/nms.hpp"
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
