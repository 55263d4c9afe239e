#pragma once

#include <functional>
#include <map>
#include <span>

#include "host/core/result.hpp"
#include "models/measure/eyes.hpp"
#include "models/measure/quality.hpp"
#include "models/process/record.hpp"

namespace vultus::measure {

using RecordVisitor = std::function<Result<void>(const FrameRecord&)>;
/// Shows every record in frame order, and can be asked again. An error of the visitor ends it.
using RecordSource = std::function<Result<void>(const RecordVisitor&)>;

inline constexpr double kUsualPupilDistance = 63, kLeastPupilDistance = 40, kMostPupilDistance = 85;

struct MeasureOptions {
  cv::Size picture;
  Sides sides;
  double pupil_distance_mm = kUsualPupilDistance;
};

/// What follows from one face's points and, for the eyes, from its whole track.
struct FaceMeasures {
  std::optional<HeadPose> pose;
  Flags quality;
  EyeMeasures left, right;  ///< the subject's own

  const EyeMeasures& eye(Side side) const { return side == Side::left ? left : right; }
  EyeMeasures& eye(Side side) { return side == Side::left ? left : right; }
};

/// What the first pass finds out about one face.
struct Track {
  int64_t frames = 0, unflagged = 0;            ///< unflagged: no flag of kVoidsGeometry
  int64_t first = 0, last = 0;                  ///< frames in which it begins and ends
  std::optional<double> open_left, open_right;  ///< aspect ratio, as kOpenQuantile tells
};
/// By face_id. Some hundred bytes a track, and at most 2 MiB while it is made.
using Survey = std::map<int, Track>;
Result<Survey> survey(const RecordSource& source, const MeasureOptions& options);

/// `faces[i]` belongs to `record.faces[i]`. Visits every record in order; records are held back
/// for at most kBlinkSeconds of video, until blinks are told from closed eyes.
using MeasuredVisitor =
    std::function<Result<void>(const FrameRecord& record, std::span<const FaceMeasures> faces)>;
Result<void> for_each_measured(const RecordSource& source, const MeasureOptions& options,
                               const Survey& survey, const MeasuredVisitor& visit);

}  // namespace vultus::measure
