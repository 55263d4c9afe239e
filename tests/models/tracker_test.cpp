// Following faces through real clips with RetinaFace and PFLD on the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "host/run/device.hpp"
#include "models/face/landmark_tracker.hpp"
#include "models/face/nms.hpp"
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

/// Faces where a test says, behind the networks' interface. Of two that overlap by more than 0.4
/// the first is seen alone.
class ScriptedDetector : public Detector {
 public:
  using Script = std::function<std::vector<Detection>(int)>;  ///< faces of a frame, front first
  explicit ScriptedDetector(Script script)
      : Detector(std::make_shared<Picture>()), script_(std::move(script)) {}
  void next() { ++frame_; }
  int front_alone = -1;  ///< a frame of which areas show the first face only
  Result<std::vector<Detection>> search(size_t) override {
    return suppress(script_(frame_), 0.4, false);
  }
  Transfers transfers() const override { return {}; }

 protected:
  Result<std::vector<Detection>> search_resampled(size_t, const SearchArea& area) override {
    VULTUS_TRY(std::vector<Detection> found, search(0));
    if (frame_ == front_alone) found.resize(1);
    const double scale = static_cast<double>(kAreaPixels) / area.side;
    auto to_area = [&](Point p) {
      return (p - Point(area.x, area.y) + Point(0.5, 0.5)) * scale - Point(0.5, 0.5);
    };
    for (Detection& d : found) {
      const Point first = to_area({d.box.x1, d.box.y1}), last = to_area({d.box.x2, d.box.y2});
      d.box = {first.x, first.y, last.x, last.y};
      std::ranges::transform(d.points, d.points.begin(), to_area);
    }
    return found;
  }

 private:
  Script script_;
  int frame_ = 0;
};

Detection face_at(double x, double score) {
  Detection face{.box = {x, 100, x + 80, 200}, .score = score, .has_points = true};
  face.points = {Point(x + 20, 140), {x + 60, 140}, {x + 40, 160}, {x + 25, 180}, {x + 55, 180}};
  return face;
}

/// Numbers of the faces of each frame, with their left sides.
std::vector<std::map<int, double>> follow(const ScriptedDetector::Script& script, int frames,
                                          const TrackerOptions& options, int front_alone = -1) {
  ScriptedDetector detector(script);
  detector.front_alone = front_alone;
  EXPECT_TRUE(detector.picture().show(cv::Mat(360, 640, CV_8UC3, cv::Scalar::all(90))));
  Tracker tracker(detector, options);
  std::vector<std::map<int, double>> found;
  for (int i = 0; i < frames; ++i, detector.next()) {
    auto faces = tracker.push(0);
    EXPECT_TRUE(faces) << faces.error().what;
    for (std::map<int, double>& at = found.emplace_back(); const TrackedBox& face : *faces)
      at[face.id] = std::round(face.face.box.x1);
  }
  return found;
}

TEST(CrossingFaces, TheOneBehindLosesItsNumberAndTheOneInFrontKeepsIt) {
  // The one that moves is found first, so that its track is the older one.
  auto walk = [](int i) {
    return std::vector{face_at(300, 0.9), face_at(60 + 6 * i, i == 0 ? 0.99 : 0.8)};
  };
  const auto found = follow(walk, 80, {.all_faces = true});
  EXPECT_EQ(found[10], (std::map<int, double>{{0, 120}, {1, 300}}));
  EXPECT_EQ(found[40], (std::map<int, double>{{1, 300}}));
  EXPECT_EQ(found[79], (std::map<int, double>{{1, 300}, {2, 534}}));
  for (const auto& faces : found)
    EXPECT_EQ(faces.at(1), 300);
}

TEST(CrossingFaces, FacesThatPassSideBySideKeepTheirNumbers) {
  auto walk = [](int i) {
    Detection near = face_at(60 + 8 * i, 0.9), far = face_at(540 - 8 * i, 0.8);
    far.box.y1 -= 60;
    far.box.y2 -= 60;
    for (Point& p : far.points)
      p.y -= 60;
    return std::vector{near, far};
  };
  const auto found = follow(walk, 60, {.all_faces = true});
  for (int i = 0; i < 60; ++i)
    EXPECT_EQ(found[static_cast<size_t>(i)],
              (std::map<int, double>{{0, 60 + 8 * i}, {1, 540 - 8 * i}}))
        << "frame " << i;
}

TEST(CrossingFaces, CheekToCheekAFaceThatIsMissedForAFrameKeepsItsNumber) {
  auto second = [](int i) { return std::max(240, 300 - 8 * i); };
  auto script = [&](int i) { return std::vector{face_at(200, 0.9), face_at(second(i), 0.8)}; };
  const auto found = follow(script, 20, {.all_faces = true}, 15);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(found[static_cast<size_t>(i)], (std::map<int, double>{{0, 200}, {1, second(i)}}))
        << "frame " << i;
}

TEST(CrossingFaces, WhoWalksInFrontOfTheFaceDoesNotEndItsNumberBesideIt) {
  // One face is followed; another passes below it, never more alike.
  auto walk = [](int i) {
    Detection other = face_at(40 + 8 * i, 0.95);
    other.box.y1 += 60;
    other.box.y2 += 60;
    for (Point& p : other.points)
      p.y += 60;
    return i == 0 ? std::vector{face_at(200, 0.9)} : std::vector{other, face_at(200, 0.9)};
  };
  for (const auto& faces : follow(walk, 40, {}))
    EXPECT_EQ(faces, (std::map<int, double>{{0, 200}}));
}

TEST(CrossingFaces, PointsTellTheFaceFromAnotherThatOverlapsItMore) {
  auto script = [](int i) {
    if (i == 0) return std::vector{face_at(200, 0.9)};
    Detection face = face_at(165, 0.8), other = face_at(230, 0.9);
    face.points = face_at(200, 0).points;
    return std::vector{other, face};
  };
  EXPECT_EQ(follow(script, 2, {})[1], (std::map<int, double>{{0, 165}}));
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
