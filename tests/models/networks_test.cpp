// The detectors and landmark networks on the CPU, on real pictures and clips.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "host/run/device.hpp"
#include "models/face/landmarker.hpp"
#include "models/face/nms.hpp"
#include "models/face/retinaface.hpp"
#include "models/face/ultra_light.hpp"
#include "models/image/image.hpp"
#include "models/video/reader.hpp"
#include "tests/models/reference_faces.hpp"
#include "tests/support/support.hpp"

namespace vultus::face {
namespace {

class Networks : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {  // One thread: tests share their machine, and waiting for a second
                                  // one costs more than it helps.
    cpu_ = open_cpu(1).value().release();
  }
  static void TearDownTestSuite() {
    delete cpu_;
    cpu_ = nullptr;
  }
  static SessionOptions on_cpu() { return {{cpu_}, Precision::fp32, {}}; }

  static Device* cpu_;
};
Device* Networks::cpu_ = nullptr;

TEST_F(Networks, PicturesGiveTheReferenceFacesAndPoints) {
  expect_reference_pictures(on_cpu());
}

TEST_F(Networks, ClipsGiveTheReferenceFacesAndPoints) {
  expect_reference_clips(on_cpu());
}

TEST_F(Networks, UltraLightFindsTheFacesThatRetinaFaceFinds) {
  VULTUS_NEED_SHARED(path, "models/version-RFB-320.onnx");
  auto detector = UltraLight::open(path, on_cpu(), {});
  ASSERT_TRUE(detector) << detector.error().what;
  for (const char* name : {"astronaut.png", "obama-1080p.jpg", "two_people.jpg"}) {
    SCOPED_TRACE(name);
    const std::string stem = std::string(name).substr(0, std::string(name).find('.'));
    cv::Mat picture = read_image(test::shared(std::string("media/") + name)).value();
    auto expected = load(test::shared("reference/detections_" + stem + ".json"))["frames"][0];
    auto found = (*detector)->detect(picture);
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found->size(), expected["faces"].size());
    for (const json& face : expected["faces"]) {
      double best = 0;
      for (const Detection& detection : *found)
        best = std::max(best, iou(detection.box, box_of(face["box"])));
      EXPECT_GT(best, 0.5);
    }
  }
}

TEST_F(Networks, StarPointsAreDecodedFromItsLandmarksOutput) {
  VULTUS_NEED_SHARED(path, "models/star98_256_seeded.onnx");
  VULTUS_NEED_SHARED(npz, "reference/star98_256_seeded.astronaut.npz");
  auto landmarker = Landmarker::open(path, LandmarkerKind::star98, on_cpu());
  ASSERT_TRUE(landmarker) << landmarker.error().what;
  cv::Mat picture = read_image(test::shared("media/astronaut.png")).value();
  json frame = load(test::shared("reference/detections_astronaut.json"))["frames"][0];
  const Box box = box_of(frame["faces"][0]["box"]);
  auto landmarks = (*landmarker)->measure(picture, box);
  ASSERT_TRUE(landmarks) << landmarks.error().what;
  auto arrays = test::read_npz(npz);
  auto expected = arrays.at("landmarks").as<float>();
  const double scale = 1.05 * std::min(box.width(), box.height()) / 256;
  for (size_t i = 0; i < 98; ++i) {
    Point n(static_cast<double>(expected[2 * i]), static_cast<double>(expected[2 * i + 1]));
    // The reference's box has three decimals; the network has random weights and is smooth.
    EXPECT_LT(cv::norm((*landmarks)[i] - (box.centre() + 128 * scale * n)), 0.05);
  }
}

TEST_F(Networks, ANetworkOfAnotherRoleIsRefusedBeforeAnyWork) {
  VULTUS_NEED_SHARED(retinaface, "models/retinaface_mnet025_dynamic.onnx");
  VULTUS_NEED_SHARED(fixed, "models/retinaface_mnet025_640x640.onnx");
  VULTUS_NEED_SHARED(pfld, "models/pfld98_ghostone_112.onnx");
  VULTUS_NEED_SHARED(ultra_light, "models/version-RFB-320.onnx");
  auto code = [](const auto& result) {
    return result ? std::string("accepted") : result.error().what;
  };
  auto expect_bad_model = [&](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::bad_model) << code(result);
  };
  expect_bad_model(RetinaFace::open(pfld, on_cpu(), {}));
  expect_bad_model(RetinaFace::open(fixed, on_cpu(), {}));
  expect_bad_model(RetinaFace::open(ultra_light, on_cpu(), {}));
  expect_bad_model(UltraLight::open(pfld, on_cpu(), {}));
  expect_bad_model(UltraLight::open(retinaface, on_cpu(), {}));
  expect_bad_model(Landmarker::open(ultra_light, LandmarkerKind::pfld98, on_cpu()));
  expect_bad_model(Landmarker::open(pfld, LandmarkerKind::star98, on_cpu()));
  expect_bad_model(Landmarker::open(pfld, LandmarkerKind::ibug68, on_cpu()));
  expect_bad_model(Landmarker::open(retinaface, LandmarkerKind::pfld98, on_cpu()));
}

}  // namespace
}  // namespace vultus::face
