#include <fmt/format.h>

#include <algorithm>

#include "gpu/recording.hpp"
#include "host/ops/op.hpp"
#include "host/plan/plan.hpp"

namespace vultus::gpu {

namespace {

Result<void> check_accesses(const Recording& recording, const Graph& graph) {
  const auto& buffers = recording.buffers;
  std::vector<bool> written(buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i)
    written[i] = buffers[i].constant || buffers[i].upload || buffers[i].empty;
  for (const Dispatch& dispatch : recording.dispatches) {
    auto wrong = [&](const char* what) {
      return Error{Errc::internal, fmt::format("{}: kernel {} {}", label_of(graph, dispatch.node),
                                               dispatch.kernel, what)};
    };
    for (const Binding& binding : dispatch.bindings) {
      size_t id = static_cast<size_t>(binding.buffer);
      if (binding.buffer < 0 || id >= buffers.size())
        return wrong("binds a buffer that does not exist");
      if (binding.access != Access::write && !written[id])
        return wrong("reads a buffer that nothing has written");
      if (binding.access != Access::read && buffers[id].constant) return wrong("writes a constant");
    }
    for (const Binding& binding : dispatch.bindings)
      if (binding.access != Access::read) written[static_cast<size_t>(binding.buffer)] = true;
  }
  return {};
}

}  // namespace

std::string label_of(const Graph& graph, NodeId node) {
  return node < 0 ? fmt::format("'{}'", graph.name) : describe(graph.node(node));
}

Result<ArenaLayout> lay_out(const Recording& recording, const Graph& graph, uint64_t alignment) {
  VULTUS_CHECK(check_accesses(recording, graph));
  const auto& buffers = recording.buffers;
  // Step 0 uploads, dispatch i is step i + 1, the last step downloads.
  const int last_step = static_cast<int>(recording.dispatches.size()) + 1;
  std::vector<Lifetime> lives(buffers.size(), Lifetime{0, last_step, -1});
  // Inputs arrive in one copy, so they are one block.
  Lifetime block{static_cast<int64_t>(recording.upload_bytes), 0, 0};
  auto touch = [&](BufferId id, int step) {
    Lifetime& life =
        buffers[static_cast<size_t>(id)].upload ? block : lives[static_cast<size_t>(id)];
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  for (size_t i = 0; i < recording.dispatches.size(); ++i)
    for (const Binding& binding : recording.dispatches[i].bindings)
      touch(binding.buffer, static_cast<int>(i) + 1);
  for (const Download& download : recording.downloads)
    touch(download.source.buffer, last_step);

  std::vector<Lifetime> planned{block};
  std::vector<size_t> owners;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].constant || buffers[i].upload || lives[i].last < 0) continue;
    lives[i].bytes = static_cast<int64_t>(buffers[i].bytes);
    planned.push_back(lives[i]);
    owners.push_back(i);
  }
  ArenaPlan plan = plan_arena(planned, static_cast<int64_t>(alignment));

  ArenaLayout layout;
  layout.bytes = static_cast<uint64_t>(plan.bytes);
  layout.upload_offset = static_cast<uint64_t>(plan.offsets[0]);
  layout.offsets.resize(buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].upload) layout.offsets[i] = layout.upload_offset + buffers[i].offset;
  for (size_t k = 0; k < owners.size(); ++k)
    layout.offsets[owners[k]] = static_cast<uint64_t>(plan.offsets[k + 1]);
  for (const Lifetime& life : planned)
    layout.unplanned_bytes += static_cast<uint64_t>(life.bytes);
  return layout;
}

}  // namespace vultus::gpu
