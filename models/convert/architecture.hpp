#pragma once

#include <string_view>

#include "models/convert/layers.hpp"

namespace vultus::convert {

/// A network whose checkpoints can be converted.
struct Architecture {
  std::string_view kind;    ///< as in packs
  std::string_view title;   ///< for people
  std::string_view marker;  ///< a key that only its checkpoints have
  /// Input, layers and outputs into `layers.network()`; remarks for the user into `notes`.
  void (*write)(Layers& layers, std::vector<std::string>& notes) = nullptr;
};

/// Deng et al. 2020, MobileNet-0.25: input [N,3,H,W] BGR minus (104, 117, 123) -> loc [N,P,4],
/// conf [N,P,2] (softmax done), landms [N,P,10].
extern const Architecture kRetinaFace;
/// Zhou et al. 2023, 98 points of WFLW: input [N,3,256,256] BGR / 127.5 - 1 -> landmarks [N,98,2]
/// in -1..1, heatmaps [N,98,64,64] of the last stack.
extern const Architecture kStar;
/// OpenFace 3.0's MTL: input [N,3,224,224] RGB / 255, minus ImageNet's means, divided by its
/// deviations -> emotion [N,8] logits, gaze [N,2] radians, au [N,8] in 0..1.
extern const Architecture kMultitask;

}  // namespace vultus::convert
