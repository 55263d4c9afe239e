#include "models/face/landmark_tracker.hpp"
#include "models/face/mirror.hpp"
#include "models/face/multitask.hpp"
#include "models/video/reader.hpp"
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

struct Measured {
  std::vector<std::vector<TrackedFace>> faces;
  std::vector<std::optional<Expressions>> expressions;
  Transfers pictures;
};

/// The first frames of a clip, `window` at a time.
Measured measure_in_windows(Device& gpu, const std::vector<cv::Mat>& frames, size_t window) {
  const SessionOptions session{{&gpu}, Precision::fp16, {}};
  auto picture = std::make_shared<Picture>(window);
  auto model = [](const std::string& name) { return test::shared("models/" + name + ".onnx"); };
  auto detector =
      RetinaFace::open(model("retinaface_mnet025_dynamic"), session, {}, picture).value();
  auto landmarker =
      Landmarker::open(model("pfld98_ghostone_112"), LandmarkerKind::pfld98, session, picture)
          .value();
  auto multitask =
      Multitask::open(model("mtl_efficientnet_b0_224_seeded"), session, picture).value();
  TrackerOptions options;
  options.all_faces = true;
  LandmarkTracker tracker(*detector, *landmarker, options);
  Measured measured;
  for (std::span<const cv::Mat> rest(frames); !rest.empty();) {
    const size_t count = std::min(window, rest.size());
    auto faces = tracker.push(rest.first(count)).value();
    std::vector<Multitask::Face> seen;
    for (size_t i = 0; i < faces.size(); ++i)
      for (const TrackedFace& face : faces[i])
        seen.push_back({i, face.box, midline_of(face.landmarks)});
    auto expressions = multitask->measure(seen).value();
    std::ranges::move(expressions, std::back_inserter(measured.expressions));
    std::ranges::move(faces, std::back_inserter(measured.faces));
    rest = rest.subspan(count);
  }
  measured.pictures = picture->transfers();
  return measured;
}

TEST(GpuFaces, AWindowOfFramesGoesUpOnceAndGivesWhatTheFramesGive) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(clip, "media/intel_head_pose_two_faces.mp4");
  VULTUS_NEED_SHARED(network, "models/mtl_efficientnet_b0_224_seeded.onnx");
  VideoReader reader = VideoReader::open(clip).value();
  std::vector<cv::Mat> frames;
  while (frames.size() < 5)
    frames.push_back(reader.next().value().value().bgr);
  const Measured one_by_one = measure_in_windows(gpu, frames, 1);
  const Measured windows = measure_in_windows(gpu, frames, 3);
  const auto frame_bytes = static_cast<int64_t>(frames[0].total() * 3);
  EXPECT_EQ(one_by_one.pictures.uploads, 5);
  EXPECT_EQ(windows.pictures.uploads, 2);
  EXPECT_EQ(one_by_one.pictures.upload_bytes, 5 * frame_bytes);
  EXPECT_EQ(windows.pictures.upload_bytes, 5 * frame_bytes);
  ASSERT_EQ(windows.faces.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    ASSERT_EQ(windows.faces[i].size(), 2u);
    for (size_t k = 0; k < 2; ++k) {
      const TrackedFace &face = windows.faces[i][k], &expected = one_by_one.faces[i][k];
      EXPECT_EQ(face.id, expected.id);
      EXPECT_EQ(face.box.x1, expected.box.x1);
      // Other tiles for other batches may round otherwise in fp16.
      for (size_t p = 0; p < 98; ++p)
        ASSERT_LT(cv::norm(face.landmarks[p] - expected.landmarks[p]), 0.25) << i << " " << p;
    }
  }
  ASSERT_EQ(windows.expressions.size(), 10u);
  for (size_t i = 0; i < 10; ++i)
    for (size_t k = 0; k < 8; ++k)
      EXPECT_NEAR(windows.expressions[i]->left->action_units[k],
                  one_by_one.expressions[i]->left->action_units[k], 2e-2);
}

}  // namespace
}  // namespace vultus::face
