#include "host/plan/min_cut.hpp"

#include <algorithm>
#include <cassert>

namespace vultus {

int FlowNetwork::add_vertex() {
  out_.emplace_back();
  return static_cast<int>(out_.size()) - 1;
}

void FlowNetwork::add_edge(int from, int to, int64_t capacity) {
  assert(capacity >= 0 && capacity <= kInfinite);
  out_[static_cast<size_t>(from)].push_back(static_cast<int>(edges_.size()));
  edges_.push_back({to, capacity});
  out_[static_cast<size_t>(to)].push_back(static_cast<int>(edges_.size()));
  edges_.push_back({from, 0});
}

bool FlowNetwork::find_levels(int source, int sink) {
  level_.assign(out_.size(), -1);
  level_[static_cast<size_t>(source)] = 0;
  std::vector<int> queue{source};
  for (size_t i = 0; i < queue.size(); ++i)
    for (int e : out_[static_cast<size_t>(queue[i])]) {
      const Edge& edge = edges_[static_cast<size_t>(e)];
      if (edge.left <= 0 || level_[static_cast<size_t>(edge.to)] >= 0) continue;
      level_[static_cast<size_t>(edge.to)] = level_[static_cast<size_t>(queue[i])] + 1;
      queue.push_back(edge.to);
    }
  return level_[static_cast<size_t>(sink)] >= 0;
}

/// One augmenting path along the levels, on an explicit stack: paths are as long as networks are
/// deep.
int64_t FlowNetwork::push(int source, int sink) {
  std::vector<int> path;
  int at = source;
  while (at != sink) {
    size_t& next = next_[static_cast<size_t>(at)];
    const auto& out = out_[static_cast<size_t>(at)];
    while (next < out.size()) {
      const Edge& edge = edges_[static_cast<size_t>(out[next])];
      if (edge.left > 0 &&
          level_[static_cast<size_t>(edge.to)] == level_[static_cast<size_t>(at)] + 1)
        break;
      ++next;
    }
    if (next < out.size()) {
      path.push_back(out[next]);
      at = edges_[static_cast<size_t>(out[next])].to;
      continue;
    }
    if (path.empty()) return 0;
    at = edges_[static_cast<size_t>(path.back() ^ 1)].to;  // dead end: back, and never here again
    path.pop_back();
    ++next_[static_cast<size_t>(at)];
  }
  int64_t flow = kInfinite;
  for (int e : path)
    flow = std::min(flow, edges_[static_cast<size_t>(e)].left);
  for (int e : path) {
    edges_[static_cast<size_t>(e)].left -= flow;
    edges_[static_cast<size_t>(e ^ 1)].left += flow;
  }
  return flow;
}

FlowNetwork::Cut FlowNetwork::minimum_cut(int source, int sink) {
  Cut cut;
  while (cut.capacity < kInfinite && find_levels(source, sink)) {
    next_.assign(out_.size(), 0);
    while (int64_t flow = push(source, sink)) {
      cut.capacity += flow;
      if (cut.capacity >= kInfinite) break;
    }
  }
  find_levels(source, sink);
  for (int level : level_)
    cut.source_side.push_back(level >= 0);
  return cut;
}

}  // namespace vultus
