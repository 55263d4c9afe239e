#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/graph/graph.hpp"

namespace vultus::cpu {

/// How a convolution is computed. The numbers are kept in files.
enum class ConvForm : uint8_t {
  any,        ///< oneDNN's direct kernel in the layouts it likes best
  blocked,    ///< the same in blocks of 16 channels
  winograd,   ///< oneDNN's F(4x4, 3x3) or F(2x2, 3x3), in blocks of 16 channels
  separable,  ///< ours: a 1x1 convolution and the depthwise one behind it in one step
  stem,       ///< ours: an image of a few channels
};
constexpr uint8_t kConvForms = 5;

/// A convolution, or a pair of them, that more than one form might compute.
struct ConvChoice {
  std::string key;              ///< all that its time depends on
  std::vector<NodeId> nodes;    ///< one, or the two of a pair
  std::vector<ConvForm> forms;  ///< the rule takes the first that oneDNN has a kernel for
  ConvForm used = ConvForm::any;
  bool timed = false;    ///< `used` was wished for
  bool changed = false;  ///< ... and is not what the rule takes
};

/// The form to use for a key; nothing: what the rule takes.
using ConvWish = std::function<std::optional<ConvForm>(const std::string& key)>;

}  // namespace vultus::cpu
