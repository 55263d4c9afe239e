#include "models/face/mirror.hpp"
#include "models/face/multitask.hpp"
#include "tests/models/reference_faces.hpp"
#include "tests/support/gpu.hpp"

namespace vultus::face {
namespace {

// Goal A1 end to end: no face lost, none added, boxes and points where ONNX Runtime's fp32 puts
// them.
TEST(GpuFaces, PicturesGiveTheReferenceFacesAndPointsInFp16) {
  VULTUS_NEED_GPU(gpu);
  expect_reference_pictures({{&gpu}, Precision::fp16, {}});
}

TEST(GpuFaces, ClipsGiveTheReferenceFacesAndPointsInFp16) {
  VULTUS_NEED_GPU(gpu);
  expect_reference_clips({{&gpu}, Precision::fp16, {}});
}

// The crop and both half faces are made on the device; the CPU makes them from whole rows.
TEST(GpuFaces, HalfFacesAreWhatTheMirroredVideosShow) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(path, "models/mtl_efficientnet_b0_224_seeded.onnx");
  VULTUS_NEED_SHARED(media, "media/obama-1080p.jpg");
  auto network = Multitask::open(path, {{&gpu}, Precision::fp32, {}});
  ASSERT_TRUE(network) << network.error().what;
  const cv::Mat picture = read_image(media).value();
  const Midline midline{{960, 300}, {950, 620}};
  // Averaged, interpolated, and across the border.
  for (const Box& box :
       {Box{700.5, 150, 1180, 700}, Box{850, 300, 1050, 480}, Box{600, -200, 1300, 500}}) {
    SCOPED_TRACE(box.x1);
    auto found = (*network)->measure(picture, box, midline);
    ASSERT_TRUE(found && *found);
    // Rounding to 8 bits may fall the other way in a pixel, which the seeded network makes much of.
    auto distance = [](const Expression& a, const Expression& b) {
      double sum = 0;
      for (size_t i = 0; i < 8; ++i)
        sum += std::abs(double{a.action_units[i]} - double{b.action_units[i]});
      return sum;
    };
    const double apart = distance(*(*found)->left, *(*found)->right);
    ASSERT_GT(apart, 1e-2);
    for (Side side : {Side::left, Side::right}) {
      auto alone = (*network)->measure(mirror(picture, midline, side), box, std::nullopt);
      ASSERT_TRUE(alone && *alone);
      const Expression& half = side == Side::left ? *(*found)->left : *(*found)->right;
      EXPECT_LT(distance((*alone)->whole, half), apart / 5) << (side == Side::left ? "left" : "");
    }
  }
  EXPECT_FALSE((*network)->measure(picture, {2000, 100, 2100, 200}, midline).value().has_value());
  EXPECT_LT((*network)->transfers().upload_bytes, 9 * 1000) << "no crop goes up";
}

}  // namespace
}  // namespace vultus::face
