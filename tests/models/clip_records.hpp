#pragma once

// Records of real clips, as the tracker measures them with RetinaFace and PFLD on the CPU.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/face/landmark_tracker.hpp"
#include "models/face/retinaface.hpp"
#include "models/process/record.hpp"
#include "models/video/reader.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {

inline std::vector<FrameRecord> measure_clip(const std::string& clip) {
  auto cpu = open_cpu(1).value();
  const SessionOptions session{{cpu.get()}, Precision::fp32, {}};
  auto detector =
      face::RetinaFace::open(shared("models/retinaface_mnet025_dynamic.onnx"), session, {}).value();
  auto landmarker = face::Landmarker::open(shared("models/pfld98_ghostone_112.onnx"),
                                           face::LandmarkerKind::pfld98, session)
                        .value();
  face::TrackerOptions options;
  options.all_faces = true;
  face::LandmarkTracker tracker(*detector, *landmarker, options);
  VideoReader reader = VideoReader::open(shared("media/" + clip)).value();
  std::vector<FrameRecord> records;
  while (auto frame = reader.next().value()) {
    FrameRecord record;
    record.frame = frame->index + 1;
    record.seconds = frame->seconds;
    std::vector<face::TrackedFace> faces =
        std::move(tracker.push(std::span(&frame->bgr, 1)).value().front());
    for (face::TrackedFace& face : faces) {
      FaceRecord measured;
      measured.face = std::move(face);
      record.faces.push_back(std::move(measured));
    }
    records.push_back(std::move(record));
  }
  return records;
}

/// Every face of every frame; empty where the shared folder is absent. Measured once a process.
inline const std::vector<FrameRecord>& clip_records(const std::string& clip) {
  static std::map<std::string, std::vector<FrameRecord>> measured;
  const auto [it, is_new] = measured.try_emplace(clip);
  const bool there = !shared("media/" + clip).empty() &&
                     !shared("models/retinaface_mnet025_dynamic.onnx").empty() &&
                     !shared("models/pfld98_ghostone_112.onnx").empty();
  if (is_new && there) it->second = measure_clip(clip);
  return it->second;
}

/// Skips the test where the shared folder is absent; fails instead where CI is set.
#define VULTUS_NEED_CLIP(records)                                          \
  if ((records).empty()) {                                                 \
    if (std::getenv("CI")) FAIL() << "clips or networks are absent in CI"; \
    GTEST_SKIP() << "clips or networks are absent (set VULTUS_SHARED)";    \
  }

}  // namespace vultus::test
