// Windows of several frames against the same frames one by one, with RetinaFace and PFLD on the
// CPU.
#include "models/face/landmark_tracker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>

#include "host/run/device.hpp"
#include "models/face/retinaface.hpp"
#include "models/video/reader.hpp"
#include "tests/support/support.hpp"

namespace vultus::face {
namespace {

using FacesOfFrames = std::vector<std::vector<TrackedFace>>;

std::vector<cv::Mat> frames_of(const std::string& clip) {
  VideoReader reader = VideoReader::open(test::shared("media/" + clip)).value();
  std::vector<cv::Mat> frames;
  while (auto frame = reader.next().value())
    frames.push_back(frame->bgr);
  return frames;
}

class Windows : public ::testing::Test {
 protected:
  void SetUp() override {
    VULTUS_NEED_SHARED(detector_path, "models/retinaface_mnet025_dynamic.onnx");
    VULTUS_NEED_SHARED(landmarks_path, "models/pfld98_ghostone_112.onnx");
    detector_path_ = detector_path;
    landmarks_path_ = landmarks_path;
  }
  /// All faces, `window` frames at a time, the rest at the end.
  FacesOfFrames track(const std::vector<cv::Mat>& frames, size_t window,
                      StageTimes* times = nullptr) {
    const SessionOptions session{{cpu_.get()}, Precision::fp32, {}};
    auto picture = std::make_shared<Picture>(window);
    auto detector = RetinaFace::open(detector_path_, session, {}, picture).value();
    auto landmarker =
        Landmarker::open(landmarks_path_, LandmarkerKind::pfld98, session, picture).value();
    TrackerOptions options;
    options.all_faces = true;
    LandmarkTracker tracker(*detector, *landmarker, options, times);
    FacesOfFrames found;
    for (std::span<const cv::Mat> rest(frames); !rest.empty();) {
      const size_t count = std::min(window, rest.size());
      FacesOfFrames faces = tracker.push(rest.first(count)).value();
      std::ranges::move(faces, std::back_inserter(found));
      rest = rest.subspan(count);
    }
    return found;
  }
  std::string detector_path_, landmarks_path_;
  std::unique_ptr<Device> cpu_ = open_cpu(1).value();
};

int64_t calls(const StageTimes& times, const std::string& stage) {
  for (const StageTimes::Row& row : times.rows())
    if (row.name == stage) return row.calls;
  return 0;
}

void expect_same(const FacesOfFrames& found, const FacesOfFrames& expected) {
  ASSERT_EQ(found.size(), expected.size());
  double worst = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_EQ(found[i].size(), expected[i].size());
    for (size_t k = 0; k < found[i].size(); ++k) {
      const TrackedFace &face = found[i][k], &wanted = expected[i][k];
      EXPECT_EQ(face.id, wanted.id);
      EXPECT_EQ(face.score, wanted.score);
      EXPECT_EQ(face.box.x1, wanted.box.x1);
      EXPECT_EQ(face.box.y1, wanted.box.y1);
      EXPECT_EQ(face.box.x2, wanted.box.x2);
      EXPECT_EQ(face.box.y2, wanted.box.y2);
      ASSERT_EQ(face.landmarks.points.size(), wanted.landmarks.points.size());
      for (size_t p = 0; p < face.landmarks.points.size(); ++p)
        worst = std::max(worst, cv::norm(face.landmarks[p] - wanted.landmarks[p]));
    }
  }
  // Sums in another order: PFLD's outputs differ in the last bits.
  EXPECT_LT(worst, 0.01);
}

TEST_F(Windows, TwoFacesAreMeasuredAsFrameByFrameAlsoWhereTheClipEndsInTheMiddle) {
  const std::vector<cv::Mat> frames = frames_of("intel_head_pose_two_faces.mp4");
  ASSERT_EQ(frames.size() % 5, 1u) << "the last window is to be short";
  StageTimes times, times_of_fours;
  const FacesOfFrames one_by_one = track(frames, 1, &times);
  EXPECT_EQ(calls(times, "landmarks"), static_cast<int64_t>(frames.size()));
  for (const auto& faces : one_by_one)
    ASSERT_EQ(faces.size(), 2u);
  expect_same(track(frames, 4, &times_of_fours), one_by_one);
  EXPECT_EQ(calls(times_of_fours, "landmarks"), static_cast<int64_t>(frames.size()) / 4);
  expect_same(track(frames, 5), one_by_one);
}

// At the cut a track ends and another begins, whose smoothing must not go on from the one before.
TEST_F(Windows, ACutInsideAWindowBeginsANewFace) {
  const std::vector<cv::Mat> frames = frames_of("vfr.mp4");
  const FacesOfFrames one_by_one = track(frames, 1);
  size_t cut = 0;
  while (one_by_one.at(cut).at(0).id == one_by_one[0][0].id)
    ++cut;
  ASSERT_NE(cut % 7, 0u) << "the cut is to lie inside a window";
  expect_same(track(frames, 7), one_by_one);
}

TEST_F(Windows, WhatGoesOnFromAStateIsWhatWouldHaveCome) {
  const std::vector<cv::Mat> frames = frames_of("vfr.mp4");
  const FacesOfFrames whole = track(frames, 4);
  const SessionOptions session{{cpu_.get()}, Precision::fp32, {}};
  auto picture = std::make_shared<Picture>(4);
  auto detector = RetinaFace::open(detector_path_, session, {}, picture).value();
  auto landmarker =
      Landmarker::open(landmarks_path_, LandmarkerKind::pfld98, session, picture).value();
  TrackerOptions options;
  options.all_faces = true;
  LandmarkTracker first(*detector, *landmarker, options), second(*detector, *landmarker, options);
  const std::span<const cv::Mat> all(frames);
  ASSERT_TRUE(first.push(all.first(4)));
  second.restore(first.state());
  const FacesOfFrames next = second.push(all.subspan(4, 4)).value();
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(next[i].size(), whole[4 + i].size());
    for (size_t k = 0; k < next[i].size(); ++k)
      EXPECT_EQ(next[i][k].landmarks.points, whole[4 + i][k].landmarks.points);
  }
}

TEST_F(Windows, FramesOfSeveralSizesAndTooManyAreRefused) {
  Picture picture(2);
  const std::vector<cv::Mat> frames{cv::Mat::zeros(8, 9, CV_8UC3), cv::Mat::zeros(8, 9, CV_8UC3),
                                    cv::Mat::zeros(9, 8, CV_8UC3)};
  const std::span<const cv::Mat> all(frames);
  EXPECT_TRUE(picture.show(all.first(2)));
  EXPECT_EQ(picture.frames(), 2u);
  EXPECT_EQ(picture.show(all).error().code, Errc::usage);
  EXPECT_EQ(picture.show(all.subspan(1)).error().code, Errc::usage);
  EXPECT_EQ(picture.show(all.first(0)).error().code, Errc::usage);
  EXPECT_EQ(picture.frames(), 2u) << "what was shown before";
}

// 128 MiB is what every Vulkan device lets a kernel see.
TEST(PictureFrames, LargeFramesAreShownFewerAtOnce) {
  const Picture picture(32);
  EXPECT_EQ(picture.most_frames({640, 480}), 32u);
  EXPECT_EQ(picture.most_frames({3840, 2160}), 5u);
  EXPECT_EQ(picture.most_frames({8192, 8192}), 1u);
  EXPECT_EQ(Picture().most_frames({640, 480}), 1u);
  EXPECT_EQ(Picture().bytes()->shape(), Picture(4).bytes()->shape()) << "room for a usual frame";
}

}  // namespace
}  // namespace vultus::face
