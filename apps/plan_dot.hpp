#pragma once

#include <limits>
#include <map>
#include <string>

#include "host/plan/plan.hpp"

namespace vultus::app {

/// Pictures are laid out in bounded time: with more boxes or arrows than these, partitions are
/// drawn instead of nodes, and with more of those, devices.
struct PictureLimits {
  size_t boxes = std::numeric_limits<size_t>::max(), arrows = boxes;
};
inline constexpr PictureLimits kDrawn{400, 900};

/// A plan in the DOT language: a cluster for each partition, devices as colours and shapes, copies
/// between host and GPU as labelled arrows.
struct PlanPicture {
  std::string dot;
  std::string note;                             ///< what is drawn, a sentence for people
  std::map<std::string, std::string> tooltips;  ///< by the DOT name of a box
};
PlanPicture plan_picture(const Graph& graph, const Plan& plan, PictureLimits limits = {});

}  // namespace vultus::app
