#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"
#include "host/run/session.hpp"

namespace vultus {

/// How one value differs between two runs of a network.
struct ValueError {
  ValueId value = kNoValue;
  NodeId node = -1;        ///< that computes it
  double max_abs = 0;      ///< largest difference of an element
  double rel_l2 = 0;       ///< |got - wanted| / |wanted|, Euclidean; 0 where both are 0
  double largest = 0;      ///< magnitude in the reference run
  int64_t non_finite = 0;  ///< elements that are infinite or not a number, in the run under test
  int64_t reference_non_finite = 0;
};

/// Runs the graph with every float value as an output, with `options` and on `reference` alone in
/// fp32, and compares value by value in order of computation. Values that no node computes are left
/// out. Takes memory for all values twice.
Result<std::vector<ValueError>> compare_values(const Graph& graph, const SessionOptions& options,
                                               Device& reference,
                                               const std::map<std::string, Tensor>& inputs);

/// One run on `device` in fp32: only `largest` and `reference_non_finite` are set.
Result<std::vector<ValueError>> value_ranges(const Graph& graph, Device& device,
                                             const std::map<std::string, Tensor>& inputs);

/// `worst` becomes what was worst in either of two comparisons of the same values; it may be empty
/// at first. The counts of what is not finite are those of the comparison where it is worse.
void keep_worst(std::vector<ValueError>& worst, const std::vector<ValueError>& other);

/// Nodes that fp16 storage cannot serve: those that make or read a value that comes nearer than a
/// factor of 2 to 65,504, the largest number of fp16, or that is not finite in the run under test
/// though it is in the reference. By name, in order.
std::vector<std::string> unsafe_nodes(const Graph& graph, const std::vector<ValueError>& errors);

/// The list as JSON, under a temporary name, then renamed.
Result<void> write_recipe(const std::string& path, const std::vector<std::string>& keep_fp32);
/// Errc::bad_input when it is not one.
Result<std::vector<std::string>> read_recipe(const std::string& path);

}  // namespace vultus
