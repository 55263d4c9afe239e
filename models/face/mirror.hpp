#pragma once

#include <opencv2/core/mat.hpp>
#include <optional>

#include "host/ops/crop_warp.hpp"
#include "models/face/midline.hpp"

namespace vultus::face {

/// The patient's own side; right is image-left for a camera that does not mirror.
enum class Side { right, left };

/// Width in pixels, across the midline, of the band in which the halves are cross-faded.
inline constexpr float kSeamWidth = kMirrorSeam;

/// The whole frame made symmetric about the midline (a line without ends) from one half of it: the
/// patient's `side` is kept, its reflection stands on the other side. Beyond half a seam width the
/// kept side is the frame bit for bit and the other the reflection alone; in the band the weight of
/// the frame goes linearly from 1 to 0, 0.5 on the midline. Reflections are bilinear; outside the
/// frame its border is repeated. Without a midline, a copy of the frame. `frame` is 8UC3.
cv::Mat mirror(const cv::Mat& frame, const std::optional<Midline>& midline, Side side);

struct MirroredPair {
  cv::Mat right;
  cv::Mat left;
};
/// Both sides in one pass; `out` is reused when it has the frame's size.
void mirror_both(const cv::Mat& frame, const std::optional<Midline>& midline, MirroredPair& out);
/// The same for `area` alone, which lies in the frame: bit for bit what the whole frames have
/// there.
void mirror_both(const cv::Mat& frame, const std::optional<Midline>& midline, const cv::Rect& area,
                 MirroredPair& out);

/// What crops of a mirrored picture are made with; as it is without a midline. The point on the
/// line is the one next to `near`: networks are given it in float.
MirrorLine mirror_line(const std::optional<Midline>& midline, Side side, const Point& near);

}  // namespace vultus::face
