// Following faces through real clips with RetinaFace and PFLD on the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "host/run/device.hpp"
#include "models/face/landmark_tracker.hpp"
#include "models/face/retinaface.hpp"
#include "models/video/reader.hpp"
#include "tests/support/support.hpp"

namespace vultus::face {
namespace {

using nlohmann::json;

void for_each_frame(const std::string& clip, const std::function<void(const Frame&)>& visit) {
  auto reader = VideoReader::open(test::shared("media/" + clip));
  ASSERT_TRUE(reader) << reader.error().what;
  while (true) {
    auto frame = reader->next();
    ASSERT_TRUE(frame) << frame.error().what;
    if (!*frame) return;
    visit(**frame);
  }
}

json load(const std::string& relative) {
  std::ifstream file(test::shared(relative));
  return json::parse(file);
}

Result<std::vector<TrackedFace>> push(LandmarkTracker& tracker, const cv::Mat& bgr) {
  VULTUS_TRY(auto faces, tracker.push(std::span(&bgr, 1)));
  return std::move(faces.front());
}

class Tracking : public ::testing::Test {
 protected:
  void SetUp() override {
    VULTUS_NEED_SHARED(detector_path, "models/retinaface_mnet025_dynamic.onnx");
    VULTUS_NEED_SHARED(landmarks_path, "models/pfld98_ghostone_112.onnx");
    // One thread: tests share their machine, and waiting for a second one costs more than it helps.
    cpu_ = open_cpu(1).value();
    const SessionOptions session{{cpu_.get()}, Precision::fp32, {}};
    detector_ = RetinaFace::open(detector_path, session, {}).value();
    landmarker_ = Landmarker::open(landmarks_path, LandmarkerKind::pfld98, session).value();
  }
  std::unique_ptr<Device> cpu_;
  std::unique_ptr<Detector> detector_;
  std::unique_ptr<Landmarker> landmarker_;
};

/// Mean distance of points from their mean place over all frames, against the eye distance.
double wander(const std::vector<Landmarks>& frames) {
  const auto n = static_cast<double>(frames.size());
  Landmarks middle = frames.front();
  for (size_t i = 0; i < middle.points.size(); ++i) {
    Point sum;
    for (const Landmarks& frame : frames)
      sum += frame[i];
    middle.points[i] = sum / n;
  }
  double distance = 0;
  for (const Landmarks& frame : frames)
    for (size_t i = 0; i < middle.points.size(); ++i)
      distance += cv::norm(frame[i] - middle[i]);
  return distance / n / static_cast<double>(middle.points.size()) / eye_distance(middle);
}

TEST_F(Tracking, LandmarksStayOnTheFaceUnderKnownCameraMotion) {
  const json motion = load("media/camera_motion_astronaut.json")["per_frame"];
  StageTimes times;
  LandmarkTracker tracker(*detector_, *landmarker_, {}, &times);
  std::vector<Landmarks> still;
  for_each_frame("camera_motion_astronaut_1080p.mp4", [&](const Frame& frame) {
    auto faces = push(tracker, frame.bgr);
    ASSERT_TRUE(faces) << faces.error().what;
    ASSERT_EQ(faces->size(), 1u) << "frame " << frame.index;
    // Back to where the points lie in the still picture: the inverse of the frame's matrix.
    const json& m = motion[static_cast<size_t>(frame.index)]["matrix"];
    const double a = m[0][0], b = m[0][1], c = m[1][0], d = m[1][1];
    Landmarks back = faces->front().landmarks;
    for (Point& p : back.points) {
      const Point q = p - Point(m[0][2].get<double>(), m[1][2].get<double>());
      p = Point(d * q.x - b * q.y, a * q.y - c * q.x) / (a * d - b * c);
    }
    still.push_back(std::move(back));
  });
  ASSERT_EQ(still.size(), 180u);
  const double share = wander(still);
  RecordProperty("wander_percent", std::to_string(100 * share));
  // PFLD alone, with a search of every frame and no smoothing: 1.5 %.
  EXPECT_LT(share, 0.016);
  // The whole frame was searched every tenth frame and never out of need.
  for (const StageTimes::Row& row : times.rows())
    if (row.name == "search") {
      EXPECT_EQ(row.calls, 18);
    }
}

TEST_F(Tracking, EverySignerIsFoundAtOnceAfterACut) {
  const json reference = load("reference/detections_intel_asl_10s.json")["frames"];
  LandmarkTracker tracker(*detector_, *landmarker_, {}, nullptr);
  CutDetector cuts;
  std::vector<int64_t> found_cuts;
  int64_t without_face = 0;
  for_each_frame("intel_asl_10s.mp4", [&](const Frame& frame) {
    if (cuts.push(frame.bgr)) found_cuts.push_back(frame.index);
    auto faces = push(tracker, frame.bgr);
    ASSERT_TRUE(faces) << faces.error().what;
    if (faces->empty()) {
      ++without_face;
      return;
    }
    ASSERT_EQ(faces->front().id, static_cast<int>(found_cuts.size()));
    if (frame.index % 5 != 0) return;
    const json& expected = reference[static_cast<size_t>(frame.index / 5)];
    const double side = expected["top_face_crop"]["side"];
    const json& centre = expected["top_face_crop"]["centre"];
    const Point corner =
        Point(centre[0].get<double>() - side / 2, centre[1].get<double>() - side / 2);
    double sum = 0;
    for (size_t i = 0; i < 98; ++i) {
      const json& p = expected["top_face_landmarks98"][i];
      sum += cv::norm(faces->front().landmarks[i] -
                      (corner + side * Point(p[0].get<double>(), p[1].get<double>())));
    }
    // Another crop and smoothing against a single frame: the same points within 3 % of the face.
    EXPECT_LT(sum / 98, 0.03 * side) << "frame " << frame.index;
  });
  EXPECT_EQ(found_cuts, (std::vector<int64_t>{77, 140, 249}));
  EXPECT_EQ(without_face, 0);
}

TEST_F(Tracking, TwoPersonsKeepTheirNumbers) {
  TrackerOptions options;
  options.all_faces = true;
  LandmarkTracker tracker(*detector_, *landmarker_, options, nullptr);
  std::array<Point, 2> last;
  for_each_frame("intel_head_pose_two_faces.mp4", [&](const Frame& frame) {
    auto faces = push(tracker, frame.bgr);
    ASSERT_TRUE(faces) << faces.error().what;
    ASSERT_EQ(faces->size(), 2u) << "frame " << frame.index;
    for (size_t i = 0; i < 2; ++i) {
      const TrackedFace& face = (*faces)[i];
      ASSERT_EQ(face.id, static_cast<int>(i));
      if (frame.index > 0) {
        EXPECT_LT(cv::norm(face.box.centre() - last[i]), 0.5 * face.box.width());
      }
      last[i] = face.box.centre();
    }
  });
}

TEST_F(Tracking, AClipWithoutFacesGivesNone) {
  LandmarkTracker tracker(*detector_, *landmarker_, {}, nullptr);
  for_each_frame("intel_bottle_noface_3s.mp4", [&](const Frame& frame) {
    if (frame.index % 9 != 0) return;
    auto faces = push(tracker, frame.bgr);
    ASSERT_TRUE(faces) << faces.error().what;
    EXPECT_TRUE(faces->empty());
  });
}

TEST(CutDetector, TakesPicturesOfAnyShape) {
  for (const cv::Size size : {cv::Size(1024, 2), {4096, 1}, {1, 4096}, {1, 1}, {300, 3}}) {
    CutDetector cuts;
    const cv::Mat black(size, CV_8UC3, cv::Scalar::all(0)),
        white(size, CV_8UC3, cv::Scalar::all(255));
    EXPECT_FALSE(cuts.push(black)) << size;
    EXPECT_FALSE(cuts.push(black)) << size;
    EXPECT_TRUE(cuts.push(white)) << size;
  }
}

}  // namespace
}  // namespace vultus::face
