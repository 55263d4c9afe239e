#pragma once

#include <cstdint>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// An anchor of RetinaFace: a square in pixels.
struct RetinaFacePrior {
  float x = 0, y = 0;  ///< its middle
  float size = 0;
};

/// Number of priors of RetinaFace (MobileNet-0.25) for a picture.
int64_t retinaface_prior_count(int64_t height, int64_t width);
/// One of them, in the order of the network's rows: strides 8, 16, 32; row, column, small then
/// large. Deng et al. 2019 and its reference code. Not clipped.
RetinaFacePrior retinaface_prior(int64_t height, int64_t width, int64_t index);

/// A RetinaFaceDecode node. Results are rows of kRetinaFaceRow numbers: x1, y1, x2, y2 in pixels,
/// score, five points x, y, and the number of the prior, which is -1 in rows that hold no face.
struct RetinaFaceDecode {
  int64_t height = 0, width = 0;  ///< of the picture
  int64_t most = 0;               ///< rows: the best faces are kept
  float score_threshold = 0.5f;   ///< faces score more than this
  float nms_threshold = 0.4f;     ///< boxes overlap at most this, counted in pixels (+1)
};
inline constexpr int64_t kRetinaFaceRow = 16;

/// Errc::bad_model where an attribute is missing or wrong.
Result<RetinaFaceDecode> retinaface_decode_of(const Node& node);

}  // namespace vultus
