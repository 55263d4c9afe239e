// Faces followed in one submission against the same networks one after the other.
#include "models/face/face_chain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "models/face/landmark_tracker.hpp"
#include "models/face/midline.hpp"
#include "models/face/mirror.hpp"
#include "models/face/retinaface.hpp"
#include "models/face/ultra_light.hpp"
#include "models/video/reader.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/support.hpp"

namespace vultus::face {
namespace {

std::string model(const std::string& name) {
  return test::shared("models/" + name + ".onnx");
}

/// The three networks, and what follows a face through them.
struct Faces {
  std::shared_ptr<Picture> picture;
  std::unique_ptr<Detector> detector;
  std::unique_ptr<Landmarker> landmarker;
  std::unique_ptr<Multitask> multitask;
  std::unique_ptr<FaceChain> chain;

  Faces(const SessionOptions& session, size_t window)
      : picture(std::make_shared<Picture>(window)),
        detector(
            RetinaFace::open(model("retinaface_mnet025_dynamic"), session, {}, picture).value()),
        landmarker(
            Landmarker::open(model("pfld98_ghostone_112"), LandmarkerKind::pfld98, session, picture)
                .value()),
        multitask(
            Multitask::open(model("mtl_efficientnet_b0_224_seeded"), session, picture).value()),
        chain(std::make_unique<FaceChain>(*detector, *landmarker, multitask.get(), session,
                                          picture)) {}
};

struct Measured {
  std::vector<std::vector<TrackedFace>> faces;
  std::vector<std::optional<Expressions>> chained;  ///< of all frames; nothing where it was not
};

Measured measure(Faces& faces, const std::vector<cv::Mat>& frames, bool chain,
                 const TrackerOptions& options = {}) {
  LandmarkTracker tracker(*faces.detector, *faces.landmarker, options, nullptr,
                          chain ? faces.chain.get() : nullptr);
  Measured measured;
  for (std::span<const cv::Mat> rest(frames); !rest.empty();) {
    const size_t count = std::min(faces.picture->most_frames(), rest.size());
    auto found = tracker.push(rest.first(count));
    if (!found) {
      ADD_FAILURE() << found.error().what;
      return measured;
    }
    std::ranges::move(*found, std::back_inserter(measured.faces));
    auto expressions = tracker.take_expressions();
    expressions.resize(count);
    std::ranges::move(expressions, std::back_inserter(measured.chained));
    rest = rest.subspan(count);
  }
  return measured;
}

std::vector<cv::Mat> frames_of(const std::string& clip, size_t count) {
  VideoReader reader = VideoReader::open(test::shared("media/" + clip)).value();
  std::vector<cv::Mat> frames;
  while (frames.size() < count)
    frames.push_back(reader.next().value().value().bgr);
  return frames;
}

size_t chained(const Measured& measured) {
  return static_cast<size_t>(
      std::ranges::count_if(measured.chained, [](const auto& e) { return e.has_value(); }));
}

void expect_near(const Expression& a, const Expression& b, float tolerance) {
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(a.action_units[i], b.action_units[i], tolerance) << "action unit " << i;
    EXPECT_NEAR(a.emotions[i], b.emotions[i], tolerance) << "emotion " << i;
  }
  EXPECT_NEAR(a.gaze_yaw, b.gaze_yaw, tolerance);
}

/// The same faces at the same places, and where the chain measured action units, those that the
/// network alone gives for them.
void expect_same(Faces& faces, const Measured& got, const Measured& expected,
                 const std::vector<cv::Mat>& frames, float tolerance) {
  ASSERT_EQ(got.faces.size(), frames.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    SCOPED_TRACE("frame " + std::to_string(i));
    ASSERT_EQ(got.faces[i].size(), expected.faces[i].size());
    for (size_t k = 0; k < got.faces[i].size(); ++k) {
      const TrackedFace &face = got.faces[i][k], &wanted = expected.faces[i][k];
      EXPECT_EQ(face.id, wanted.id);
      EXPECT_NEAR(face.score, wanted.score, 1e-3);
      EXPECT_NEAR(face.box.x1, wanted.box.x1, 0.05);
      EXPECT_NEAR(face.box.y2, wanted.box.y2, 0.05);
      for (size_t p = 0; p < 98; ++p)
        ASSERT_LT(cv::norm(face.landmarks[p] - wanted.landmarks[p]), 0.05) << "point " << p;
    }
    if (!got.chained[i]) continue;
    ASSERT_EQ(got.faces[i].size(), 1u);
    const TrackedFace& face = got.faces[i][0];
    auto alone = faces.multitask->measure(frames[i], face.box, midline_of(face.landmarks));
    ASSERT_TRUE(alone && *alone && (*alone)->left);
    expect_near(got.chained[i]->whole, (*alone)->whole, tolerance);
    expect_near(*got.chained[i]->left, *(*alone)->left, tolerance);
    expect_near(*got.chained[i]->right, *(*alone)->right, tolerance);
  }
}

TEST(GpuFaceChain, GivesWhatTheNetworksGiveOneAfterTheOther) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(clip, "media/intel_asl_10s.mp4");
  const std::vector<cv::Mat> frames = frames_of("intel_asl_10s.mp4", 14);
  Faces faces({{&gpu}, Precision::fp32, {}}, 3);
  const Measured expected = measure(faces, frames, false);
  const Transfers before = faces.chain->transfers();
  const Measured got = measure(faces, frames, true);
  EXPECT_EQ(faces.chain->why_not(), "");
  EXPECT_NE(faces.chain->how().find("3 frames ran in one submission"), std::string::npos);
  // Not the first three frames, whose face is new, nor the last two, which are no full window.
  EXPECT_EQ(chained(got), 9u);
  const Transfers used = faces.chain->transfers() - before;
  EXPECT_EQ(used.uploads, 3);
  EXPECT_EQ(used.downloads, 3);
  EXPECT_LT(used.download_bytes, 9 * 2048);
  expect_same(faces, got, expected, frames, 2e-3f);
}

TEST(GpuFaceChain, OneFrameAtATimeInFp16) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(clip, "media/intel_asl_10s.mp4");
  const std::vector<cv::Mat> frames = frames_of("intel_asl_10s.mp4", 4);
  Faces faces({{&gpu}, Precision::fp16, {}}, 1);
  const Measured expected = measure(faces, frames, false);
  const Measured got = measure(faces, frames, true);
  EXPECT_EQ(chained(got), 3u);
  expect_same(faces, got, expected, frames, 2e-2f);
}

TEST(GpuFaceChain, AFaceThatIsLostOrAnotherSceneIsLeftToTheTracker) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(clip, "media/intel_asl_10s.mp4");
  VULTUS_NEED_SHARED(other, "media/intel_head_pose_two_faces.mp4");
  std::vector<cv::Mat> frames = frames_of("intel_asl_10s.mp4", 12);
  frames[4] = cv::Mat::zeros(frames[0].size(), CV_8UC3);
  cv::resize(frames_of("intel_head_pose_two_faces.mp4", 1)[0], frames[8], frames[0].size());
  Faces faces({{&gpu}, Precision::fp32, {}}, 3);
  const Measured expected = measure(faces, frames, false);
  const Measured got = measure(faces, frames, true);
  EXPECT_TRUE(expected.faces[4].empty());
  EXPECT_TRUE(got.chained[3]);
  EXPECT_FALSE(got.chained[4] || got.chained[5]);
  EXPECT_FALSE(got.chained[8]);
  expect_same(faces, got, expected, frames, 2e-3f);
}

TEST(GpuFaceChain, SeveralFacesAreMeasuredNetworkByNetwork) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(clip, "media/intel_head_pose_two_faces.mp4");
  const std::vector<cv::Mat> frames = frames_of("intel_head_pose_two_faces.mp4", 4);
  Faces faces({{&gpu}, Precision::fp32, {}}, 2);
  TrackerOptions options;
  options.all_faces = true;
  const Measured got = measure(faces, frames, true, options);
  EXPECT_EQ(chained(got), 0u);
  EXPECT_EQ(got.faces[3].size(), 2u);
}

TEST(GpuFaceChain, SaysWhyItCannotBe) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(landmarks, "models/pfld98_ghostone_112.onnx");
  const SessionOptions session{{&gpu}, Precision::fp16, {}};
  auto picture = std::make_shared<Picture>();
  auto detector = UltraLight::open(model("version-RFB-320"), session, {}, picture).value();
  auto landmarker = Landmarker::open(landmarks, LandmarkerKind::pfld98, session, picture).value();
  FaceChain on_host(*detector, *landmarker, nullptr, session, picture);
  ASSERT_TRUE(picture->show(cv::Mat(64, 64, CV_8UC3, cv::Scalar(9))));
  EXPECT_FALSE(on_host.available().value());
  EXPECT_NE(on_host.why_not().find("decoded on the host"), std::string::npos) << on_host.why_not();
  EXPECT_NE(on_host.how().find("one after another: " + on_host.why_not()), std::string::npos);
  auto cpu = open_cpu(1).value();
  Faces elsewhere({{cpu.get()}, Precision::fp32, {}}, 1);
  EXPECT_FALSE(elsewhere.chain->available().value()) << "nothing is shown";
  ASSERT_TRUE(elsewhere.picture->show(cv::Mat(64, 64, CV_8UC3, cv::Scalar(9))));
  EXPECT_FALSE(elsewhere.chain->available().value());
  EXPECT_NE(elsewhere.chain->why_not(), "");
  EXPECT_FALSE(elsewhere.chain->follow({0, 0, 9, 9}, {}));
}

TEST(GpuFaceChain, WithoutActionUnitsInFp16) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(clip, "media/intel_asl_10s.mp4");
  const std::vector<cv::Mat> frames = frames_of("intel_asl_10s.mp4", 8);
  Faces faces({{&gpu}, Precision::fp16, {}}, 4);
  faces.multitask.reset();
  faces.chain =
      std::make_unique<FaceChain>(*faces.detector, *faces.landmarker, nullptr,
                                  SessionOptions{{&gpu}, Precision::fp16, {}}, faces.picture);
  const Measured expected = measure(faces, frames, false);
  const Measured got = measure(faces, frames, true);
  EXPECT_EQ(faces.chain->transfers().downloads, 1);
  expect_same(faces, got, expected, frames, 0);
}

TEST(GpuFaceChain, LargerFramesAreCompiledForAndFollowed) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(clip, "media/intel_asl_10s.mp4");
  Faces faces({{&gpu}, Precision::fp16, {}}, 3);
  std::vector<cv::Mat> frames = frames_of("intel_asl_10s.mp4", 6);
  measure(faces, frames, true);
  EXPECT_EQ(faces.chain->transfers().downloads, 1);
  for (cv::Mat& frame : frames)  // three of them are more than usual
    cv::copyMakeBorder(frame, frame, 0, 1440 - frame.rows, 0, 2240 - frame.cols,
                       cv::BORDER_CONSTANT);
  const auto bytes = faces.picture->bytes();
  const Measured expected = measure(faces, frames, false);
  EXPECT_NE(faces.picture->bytes(), bytes);
  const Measured got = measure(faces, frames, true);
  EXPECT_EQ(faces.chain->transfers().downloads, 2);
  EXPECT_EQ(chained(got), 3u);
  expect_same(faces, got, expected, frames, 2e-2f);
}

// Exports of STAR give 1.6 MB of heat maps beside the points.
TEST(GpuFaceChain, OnlyWhatIsReadComesDown) {
  VULTUS_NEED_GPU(gpu);
  VULTUS_NEED_SHARED(star, "models/star98_256_seeded.onnx");
  auto landmarker = Landmarker::open(star, LandmarkerKind::star98, {{&gpu}, Precision::fp16, {}});
  ASSERT_TRUE(landmarker) << landmarker.error().what;
  ASSERT_TRUE((*landmarker)->measure(frames_of("intel_asl_10s.mp4", 1)[0], {250, 100, 400, 300}));
  EXPECT_EQ((*landmarker)->transfers().downloads, 1);
  EXPECT_EQ((*landmarker)->transfers().download_bytes, 98 * 2 * 4);
}

}  // namespace
}  // namespace vultus::face
