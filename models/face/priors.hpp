#pragma once

#include <cstdint>
#include <vector>

namespace vultus::face {

/// An anchor of RetinaFace in fractions of the picture.
struct Prior {
  double cx = 0, cy = 0, w = 0, h = 0;
};

/// Number of priors of RetinaFace (MobileNet-0.25) for a picture.
int64_t retinaface_prior_count(int width, int height);

/// The priors in the order of the network's rows: strides 8, 16, 32; row, column, small then large.
/// Deng et al. 2019 and its reference code. Not clipped.
std::vector<Prior> retinaface_priors(int width, int height);

}  // namespace vultus::face
