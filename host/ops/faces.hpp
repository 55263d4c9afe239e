#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

// Operators of ours that stand between the networks of the face pipeline, so that a face is
// followed, cropped and mirrored without the host. All numbers are pixels of the frame.

/// A face: x1, y1, x2, y2, score, 1 where it was found (0: the face is the one before), five points
/// x, y.
inline constexpr int64_t kFaceRow = 16;
/// A face is shown as it is, with its left half doubled, with its right half doubled.
inline constexpr int64_t kFacePictures = 3;
/// Frames that a graph can hold.
inline constexpr int64_t kMostFaces = 32;
/// Landmarks that FaceMirrors takes.
inline constexpr int64_t kMostPoints = 128;

/// A face in a frame: corners x1, y1, x2, y2 of its box, and five points x, y where there are any.
struct FacePlace {
  std::array<double, 4> box{};
  std::optional<std::array<double, 10>> points;
};
/// Intersection of two boxes over their union, 0..1; sides are `extra` pixels longer.
double overlap_of(const std::array<double, 4>& a, const std::array<double, 4>& b, double extra = 0);
/// The k of object keypoint similarity (COCO): points that moved by this share of the root of the
/// box's area are alike to exp(-1/2).
inline constexpr double kPointSpread = 0.2;
/// How likely a face is the one before, 0..1: the overlap of their boxes; where both have points,
/// all of them numbers, the mean of that and of their object keypoint similarity.
double likeness(const FacePlace& face, const FacePlace& before);

/// A square of the picture: `side` pixels, the first of them `left` and `top`.
struct FaceRegion {
  double left = 0, top = 0, side = 0;
};

/// FaceFollow: rows [K,16] of RetinaFaceDecode, the region [1,5] they were found in, the face
/// [1,kFaceRow] before and the frame's size [2] (height, width) give the face and the region [1,5]
/// of the next picture to look for it in, `per_side` times as wide. Of the rows that overlap the
/// face before the one of most likeness is taken.
struct FaceFollow {
  int64_t pixels = 0;  ///< sides of the region as the detector saw it
  float overlap = 0;   ///< a face overlaps the one before by more than this (IoU)
  float per_side = 1;
  float smallest = 1;  ///< side of a region
};
Result<FaceFollow> face_follow_of(const Node& node);
/// Around a box; `limit` is twice the frame's longer side.
FaceRegion region_around(const FaceFollow& follow, const std::array<double, 4>& box, double limit);

/// FaceCrops: the frame's size and the faces [1,kFaceRow] of pictures 0, 1, ... (at most
/// kMostFaces) give squares [faces,5] around their middles, `per_side` of the shorter, the longer
/// or the vertical side wide, and areas [kFacePictures * faces,5]: the boxes, corners truncated and
/// cut off at the border, one pixel where nothing is left of them.
struct FaceCrops {
  enum class Side : uint8_t { shorter, longer, height };
  Side side = Side::longer;
  float per_side = 1;
};
Result<FaceCrops> face_crops_of(const Node& node);

/// FaceMirrors: points of a landmark network (2 * points numbers for each square, which are
/// centre + (v * gain + bias) * side in pixels), their squares, the areas of the same faces and the
/// smoother's state [1 + 2 * points, 2] give lines [kFacePictures * faces,5] for CropWarp: none,
/// then the left half, then the right half about the face's midline. The faces are one face in
/// frames that follow each other. The state: 1 and 0 where there is one (else 0 and 0); the points
/// before as measured; and as smoothed.
struct FaceMirrors {
  int64_t points = 0;
  float gain = 1, bias = 0;
  float slowest = 1;                ///< weight of what is new where nothing moves
  float expression = 0;             ///< of the eye distance: a change this large passes whole
  std::array<int64_t, 4> eyes{};    ///< first point and number of points, of either eye
  std::array<int64_t, 3> middle{};  ///< inner ends of the brows, chin
};
Result<FaceMirrors> face_mirrors_of(const Node& node);

}  // namespace vultus
