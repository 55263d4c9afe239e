#include "host/plan/partition.hpp"

#include <algorithm>

namespace vultus {

namespace {

/// As long as a ready node exists for the present device, it comes next; so the number of
/// partitions is what the dependencies force and not what the file's order happens to be.
std::vector<PlannedPartition> ordered(const Graph& graph, const std::vector<Device*>& placement) {
  size_t count = graph.nodes.size();
  std::vector<int> waiting(count, 0);
  auto readers = graph.consumers();
  for (size_t n = 0; n < count; ++n) {
    std::vector<NodeId> producers;
    for (ValueId v : graph.nodes[n].inputs)
      if (v != kNoValue && !graph.value(v).constant && graph.value(v).producer >= 0)
        producers.push_back(graph.value(v).producer);
    std::sort(producers.begin(), producers.end());
    waiting[n] =
        static_cast<int>(std::unique(producers.begin(), producers.end()) - producers.begin());
  }

  std::vector<PlannedPartition> partitions;
  std::vector<NodeId> ready;  // sorted, so that the order of the file is kept within a partition
  for (size_t n = 0; n < count; ++n)
    if (waiting[n] == 0) ready.push_back(static_cast<NodeId>(n));
  while (!ready.empty()) {
    Device* const present = partitions.empty() ? nullptr : partitions.back().device;
    auto next = std::find_if(ready.begin(), ready.end(), [&](NodeId n) {
      return placement[static_cast<size_t>(n)] == present;
    });
    if (next == ready.end()) {
      next = ready.begin();
      partitions.push_back({placement[static_cast<size_t>(*next)], {}});
    }
    NodeId node = *next;
    ready.erase(next);
    partitions.back().spec.nodes.push_back(node);
    std::vector<NodeId> unlocked;
    for (ValueId v : graph.node(node).outputs) {
      if (v == kNoValue) continue;
      const auto& list = readers[static_cast<size_t>(v)];
      unlocked.insert(unlocked.end(), list.begin(), list.end());
    }
    std::sort(unlocked.begin(), unlocked.end());
    unlocked.erase(std::unique(unlocked.begin(), unlocked.end()), unlocked.end());
    for (NodeId n : unlocked)
      if (--waiting[static_cast<size_t>(n)] == 0)
        ready.insert(std::lower_bound(ready.begin(), ready.end(), n), n);
  }
  return partitions;
}

void set_borders(const Graph& graph, std::vector<PlannedPartition>& partitions) {
  std::vector<int> home(graph.values.size(), -1);
  for (size_t p = 0; p < partitions.size(); ++p)
    for (NodeId n : partitions[p].spec.nodes)
      for (ValueId v : graph.node(n).outputs)
        if (v != kNoValue) home[static_cast<size_t>(v)] = static_cast<int>(p);

  auto add = [](std::vector<ValueId>& list, ValueId v) {
    if (std::find(list.begin(), list.end(), v) == list.end()) list.push_back(v);
  };
  auto enters = [&](PlannedPartition& reader, ValueId v) {
    const int from = home[static_cast<size_t>(v)];
    if (from < 0) return add(reader.spec.inputs, v);
    PlannedPartition& maker = partitions[static_cast<size_t>(from)];
    if (&maker == &reader) return;
    if (maker.device != reader.device || !reader.device->hands_over()) {
      add(reader.spec.inputs, v);
      return add(maker.spec.outputs, v);
    }
    auto& imports = reader.spec.imports;
    if (std::ranges::find(imports, v, &PartitionSpec::Import::value) == imports.end())
      imports.push_back({v});
    add(maker.spec.exports, v);
  };
  for (PlannedPartition& p : partitions)
    for (NodeId n : p.spec.nodes)
      for (ValueId v : graph.node(n).inputs)
        if (v != kNoValue && !graph.value(v).constant) enters(p, v);
  for (ValueId v : graph.outputs)
    if (int from = home[static_cast<size_t>(v)]; from >= 0)
      add(partitions[static_cast<size_t>(from)].spec.outputs, v);
}

}  // namespace

std::vector<PlannedPartition> partition(const Graph& graph, const std::vector<Device*>& placement) {
  std::vector<PlannedPartition> partitions = ordered(graph, placement);
  set_borders(graph, partitions);
  return partitions;
}

}  // namespace vultus
