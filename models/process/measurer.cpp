#include "models/process/measurer.hpp"

#include <utility>

#include "models/face/midline.hpp"

namespace vultus {

using face::StageTimes;

Result<Networks> Networks::open(const Pack& pack, SessionOptions session) {
  session.share_workspace = true;
  Networks networks;
  VULTUS_TRY(networks.detector, open_detector(pack, session, networks.picture));
  VULTUS_TRY(networks.landmarker, open_landmarker(pack, session, networks.picture));
  VULTUS_TRY(networks.multitask, open_multitask(pack, session, networks.picture));
  return networks;
}

Transfers Networks::transfers() const {
  Transfers sum = picture->transfers();
  sum += detector->transfers();
  sum += landmarker->transfers();
  if (multitask) sum += multitask->transfers();
  return sum;
}

Result<void> Measurer::add_face(face::TrackedFace face, FrameRecord& record) {
  FaceRecord measured{.face = std::move(face), .whole = {}, .left = {}, .right = {}};
  if (networks_.multitask) {
    StageTimes::Timer timer(times_, "expression");
    VULTUS_TRY(auto found, networks_.multitask->measure(measured.face.box,
                                                        face::midline_of(measured.face.landmarks)));
    if (found) {
      measured.whole = found->whole;
      measured.left = found->left;
      measured.right = found->right;
      sides_.to_subject(measured.left, measured.right);
    }
  }
  record.faces.push_back(std::move(measured));
  return {};
}

Result<FrameRecord> Measurer::push(const Frame& frame) {
  FrameRecord record{
      .frame = frame.index + 1, .seconds = frame.seconds, .damaged = frame.damaged, .faces = {}};
  if (frame.damaged) return record;
  VULTUS_TRY(std::vector<face::TrackedFace> faces, tracker_.push(frame.bgr));
  for (face::TrackedFace& face : faces)
    VULTUS_CHECK(add_face(std::move(face), record));
  return record;
}

Result<FrameRecord> Measurer::measure_picture(const cv::Mat& bgr) {
  FrameRecord record{.frame = 1, .seconds = {}, .damaged = false, .faces = {}};
  std::vector<face::Detection> found;
  {
    StageTimes::Timer timer(times_, "search");
    VULTUS_TRY(found, networks_.detector->detect(bgr));
  }
  most_faces_ = found.size();
  if (!options_.all_faces && found.size() > 1) found.resize(1);
  for (const face::Detection& detection : found) {
    face::Landmarks landmarks;
    {
      StageTimes::Timer timer(times_, "landmarks");
      VULTUS_TRY(landmarks, networks_.landmarker->measure(detection.box));
    }
    if (!face::plausible(landmarks, detection.box)) continue;
    VULTUS_CHECK(add_face({static_cast<int>(record.faces.size()), detection.score, detection.box,
                           std::move(landmarks)},
                          record));
  }
  return record;
}

}  // namespace vultus
