#pragma once

// RetinaFace and PFLD-98 against the reference detections on pictures and clips, on any device.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "models/face/landmarker.hpp"
#include "models/face/nms.hpp"
#include "models/face/retinaface.hpp"
#include "models/image/image.hpp"
#include "tests/support/support.hpp"

namespace vultus::face {

using nlohmann::json;

inline Box box_of(const json& b) {
  return {b[0].get<double>(), b[1].get<double>(), b[2].get<double>(), b[3].get<double>()};
}

inline const Detection* nearest(const std::vector<Detection>& found, const Box& box) {
  auto better = [&](const Detection& a, const Detection& b) {
    return iou(a.box, box) < iou(b.box, box);
  };
  auto best = std::max_element(found.begin(), found.end(), better);
  return best == found.end() ? nullptr : &*best;
}

/// Every face of the reference that is clearly above the threshold is found at the same place, from
/// the same prior, and no other that is clearly above it.
inline void expect_same_faces(const std::vector<Detection>& found, const json& expected) {
  constexpr double kSure = 0.53, kSamePlace = 0.99;
  for (const json& face : expected) {
    if (face["score"].get<double>() < kSure) continue;
    const Box box = box_of(face["box"]);
    const Detection* best = nearest(found, box);
    if (!best) {
      ADD_FAILURE() << "a face is lost: " << face["box"];
      continue;
    }
    EXPECT_EQ(best->prior, face["prior"].get<int>());
    EXPECT_GE(iou(best->box, box), kSamePlace) << face["box"];
  }
  for (const Detection& detection : found) {
    double best = 0;
    for (const json& face : expected)
      best = std::max(best, iou(detection.box, box_of(face["box"])));
    EXPECT_TRUE(best > kSamePlace || detection.score < kSure)
        << "an added face, score " << detection.score;
  }
}

/// The reference's landmarks from its own crop, in frame pixels.
inline void expect_same_landmarks(Landmarker& landmarker, const cv::Mat& bgr, const json& frame) {
  if (frame["faces"].empty()) return;
  const json& crop = frame["top_face_crop"];
  const double side = crop["side"].get<double>();
  const Point corner = Point(crop["centre"][0].get<double>(), crop["centre"][1].get<double>()) -
                       Point(side / 2, side / 2);
  Result<Landmarks> landmarks = landmarker.measure(bgr, box_of(frame["faces"][0]["box"]));
  ASSERT_TRUE(landmarks) << landmarks.error().what;
  const json& expected = frame["top_face_landmarks98"];
  ASSERT_EQ(landmarks->points.size(), expected.size());
  double sum = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    Point p = corner + side * Point(expected[i][0].get<double>(), expected[i][1].get<double>());
    sum += cv::norm((*landmarks)[i] - p);
  }
  EXPECT_LT(sum / static_cast<double>(expected.size()), 0.5);
}

inline json load(const std::string& path) {
  std::ifstream file(path);
  return json::parse(file);
}

inline void expect_reference_pictures(const SessionOptions& session) {
  VULTUS_NEED_SHARED(detector_path, "models/retinaface_mnet025_dynamic.onnx");
  VULTUS_NEED_SHARED(landmarks_path, "models/pfld98_ghostone_112.onnx");
  auto detector = RetinaFace::open(detector_path, session, {});
  ASSERT_TRUE(detector) << detector.error().what;
  auto landmarker = Landmarker::open(landmarks_path, LandmarkerKind::pfld98, session);
  ASSERT_TRUE(landmarker) << landmarker.error().what;
  for (const char* name : {"astronaut.png", "biden.jpg", "chelsea_cat.png", "obama-1080p.jpg",
                           "solvay1927.jpg", "two_people.jpg"}) {
    SCOPED_TRACE(name);
    const std::string stem = std::string(name).substr(0, std::string(name).find('.'));
    Result<cv::Mat> picture = read_image(test::shared(std::string("media/") + name));
    ASSERT_TRUE(picture) << picture.error().what;
    json frame = load(test::shared("reference/detections_" + stem + ".json"))["frames"][0];
    Result<std::vector<Detection>> found = (*detector)->detect(*picture);
    ASSERT_TRUE(found) << found.error().what;
    expect_same_faces(*found, frame["faces"]);
    expect_same_landmarks(**landmarker, *picture, frame);
  }
}

/// Frames come from the ffmpeg command that made the reference, so that only the networks can
/// differ; our own decoder, whose colours are a grey level or two more exact, has tests of its own.
inline void expect_reference_clips(const SessionOptions& session) {
  VULTUS_NEED_SHARED(detector_path, "models/retinaface_mnet025_dynamic.onnx");
  VULTUS_NEED_SHARED(landmarks_path, "models/pfld98_ghostone_112.onnx");
  auto detector = RetinaFace::open(detector_path, session, {});
  ASSERT_TRUE(detector) << detector.error().what;
  auto landmarker = Landmarker::open(landmarks_path, LandmarkerKind::pfld98, session);
  ASSERT_TRUE(landmarker) << landmarker.error().what;
  for (const char* clip :
       {"intel_asl_10s", "intel_asl_rotated_metadata", "intel_bottle_noface_3s", "intel_classroom",
        "intel_head_pose_two_faces", "vfr", "camera_motion_astronaut_1080p"}) {
    SCOPED_TRACE(clip);
    json reference = load(test::shared(std::string("reference/detections_") + clip + ".json"));
    const std::string path = test::shared(std::string("media/") + clip + ".mp4");
    const int width = reference["frames"][0]["size"][0], height = reference["frames"][0]["size"][1];
    FILE* pipe = popen(("ffmpeg -nostdin -v error -i " + path +
                        " -map 0:v:0 -vsync passthrough -f rawvideo -pix_fmt bgr24 -")
                           .c_str(),
                       "r");
    ASSERT_TRUE(pipe);
    cv::Mat bgr(height, width, CV_8UC3);
    size_t next = 0;
    for (int64_t index = 0; next < reference["frames"].size(); ++index) {
      ASSERT_EQ(fread(bgr.data, 1, bgr.total() * 3, pipe), bgr.total() * 3);
      const json& expected = reference["frames"][next];
      if (index != expected["frame"].get<int64_t>()) continue;
      SCOPED_TRACE(index);
      ++next;
      auto found = (*detector)->detect(bgr);
      ASSERT_TRUE(found) << found.error().what;
      expect_same_faces(*found, expected["faces"]);
      expect_same_landmarks(**landmarker, bgr, expected);
    }
    pclose(pipe);
  }
}

}  // namespace vultus::face
