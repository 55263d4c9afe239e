#pragma once

#include <string>

#include "host/core/result.hpp"
#include "host/plan/plan.hpp"

namespace vultus::app {

/// The plan as a picture for Graphviz (`dot -Tsvg`): a box a node in the colour of its device, a
/// frame a partition, transfers as bold edges that say what they carry.
std::string as_dot(const Graph& graph, const Plan& plan);
/// Under a temporary name, then renamed.
Result<void> write_dot(const std::string& path, const Graph& graph, const Plan& plan);

}  // namespace vultus::app
