#include "models/process/measurer.hpp"

#include <algorithm>
#include <utility>

#include "models/face/blur.hpp"
#include "models/face/midline.hpp"

namespace vultus {

using face::StageTimes;

Result<Networks> Networks::open(const Pack& pack, SessionOptions session, size_t frames) {
  session.share_workspace = true;
  Networks networks;
  networks.picture = std::make_shared<face::Picture>(frames);
  VULTUS_TRY(networks.detector, open_detector(pack, session, networks.picture));
  VULTUS_TRY(networks.landmarker, open_landmarker(pack, session, networks.picture));
  VULTUS_TRY(networks.multitask, open_multitask(pack, session, networks.picture));
  if (std::ranges::any_of(session.devices,
                          [](const Device* d) { return d->info().kind == DeviceKind::gpu; }))
    networks.chain =
        std::make_unique<face::FaceChain>(*networks.detector, *networks.landmarker,
                                          networks.multitask.get(), session, networks.picture);
  return networks;
}

Transfers Networks::transfers() const {
  Transfers sum = picture->transfers();
  sum += detector->transfers();
  sum += landmarker->transfers();
  if (multitask) sum += multitask->transfers();
  if (chain) sum += chain->transfers();
  return sum;
}

void Measurer::add_expressions(FaceRecord& face, std::optional<face::Expressions> measured) const {
  if (!measured) return;
  face.whole = measured->whole;
  face.left = measured->left;
  face.right = measured->right;
  sides_.to_subject(face.left, face.right);
}

/// The faces of each of the frames that the picture shows, into its record. Those of the first
/// frames were looked at for `known` already.
Result<void> Measurer::add_faces(std::span<const cv::Mat> pictures,
                                 std::vector<std::vector<face::TrackedFace>> faces,
                                 std::vector<std::optional<face::Expressions>> known,
                                 std::span<FrameRecord* const> records) {
  std::vector<face::Multitask::Face> seen;
  for (size_t i = 0; i < faces.size(); ++i)
    for (face::TrackedFace& face : faces[i]) {
      const auto midline = face::midline_of(face.landmarks);
      if (i >= known.size())
        seen.push_back({i, face.box, midline});
      else if (known[i] && !midline)
        known[i]->left = known[i]->right = {};
      StageTimes::Timer timer(times_, "blur");
      const std::optional<double> blur = face::blur_of(pictures[i], face.box);
      records[i]->faces.push_back(
          {.face = std::move(face), .whole = {}, .left = {}, .right = {}, .blur = blur});
    }
  for (size_t i = 0; i < known.size(); ++i)
    add_expressions(records[i]->faces.front(), std::move(known[i]));
  if (!networks_.multitask || seen.empty()) return {};
  StageTimes::Timer timer(times_, "expression");
  VULTUS_TRY(auto found, networks_.multitask->measure(seen));
  auto next = found.begin();
  for (FrameRecord* record : records.subspan(known.size()))
    for (FaceRecord& measured : record->faces)
      add_expressions(measured, *next++);
  return {};
}

Result<std::vector<FrameRecord>> Measurer::push(std::span<const Frame> frames) {
  std::vector<FrameRecord> records;
  for (const Frame& frame : frames)
    records.push_back({.frame = frame.index + 1,
                       .seconds = frame.seconds,
                       .damaged = frame.damaged,
                       .faces = {},
                       .pts = frame.pts});
  std::vector<cv::Mat> shown;
  std::vector<FrameRecord*> of;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (frames[i].damaged) continue;
    shown.push_back(frames[i].bgr);
    of.push_back(&records[i]);
  }
  if (shown.empty()) return records;
  VULTUS_TRY(auto faces, tracker_.push(shown));
  VULTUS_CHECK(add_faces(shown, std::move(faces), tracker_.take_expressions(), of));
  return records;
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
  std::vector<face::Landmarker::Face> boxes;
  for (const face::Detection& detection : found)
    boxes.push_back({0, detection.box});
  std::vector<face::Landmarks> landmarks;
  if (!boxes.empty()) {
    StageTimes::Timer timer(times_, "landmarks");
    VULTUS_TRY(landmarks, networks_.landmarker->measure(boxes));
  }
  std::vector<face::TrackedFace> faces;
  for (size_t i = 0; i < found.size(); ++i)
    if (face::plausible(landmarks[i], found[i].box))
      faces.push_back(
          {static_cast<int>(faces.size()), found[i].score, found[i].box, std::move(landmarks[i])});
  FrameRecord* to = &record;
  VULTUS_CHECK(add_faces(std::span(&bgr, 1), {std::move(faces)}, {}, std::span(&to, 1)));
  return record;
}

}  // namespace vultus
