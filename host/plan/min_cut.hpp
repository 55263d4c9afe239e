#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vultus {

/// A directed network with capacities, for exact minimum cuts (Dinic's algorithm).
class FlowNetwork {
 public:
  /// Larger than any sum of real capacities: an edge that no minimum cut crosses unless it must.
  static constexpr int64_t kInfinite = int64_t{1} << 60;

  /// Adds a vertex; they count from 0.
  int add_vertex();
  /// Capacity is not negative and at most kInfinite.
  void add_edge(int from, int to, int64_t capacity);

  struct Cut {
    int64_t capacity = 0;  ///< kInfinite or more: source and sink cannot be separated
    std::vector<bool> source_side;
  };
  /// The cheapest set of edges whose removal separates `sink` from `source`. Of several cheapest
  /// cuts the one with the smallest source side. Uses the network up: call it once.
  Cut minimum_cut(int source, int sink);

 private:
  struct Edge {
    int to;
    int64_t left;  ///< residual capacity; the reverse edge is at index ^ 1
  };
  bool find_levels(int source, int sink);
  int64_t push(int source, int sink);

  std::vector<Edge> edges_;
  std::vector<std::vector<int>> out_;  ///< edge indices by vertex
  std::vector<int> level_;
  std::vector<size_t> next_;
};

}  // namespace vultus
