#include "host/plan/arena.hpp"

#include <algorithm>

#include "gpu/recording.hpp"

namespace vultus::gpu {

namespace {

std::string names_of_uploads(const std::vector<Recording::BufferInfo>& buffers) {
  std::string names;
  for (const Recording::BufferInfo& buffer : buffers)
    if (buffer.upload) names += (names.empty() ? "" : ", ") + buffer.name;
  return names;
}

}  // namespace

ArenaLayout lay_out(const Recording& recording, uint64_t alignment) {
  const auto& buffers = recording.buffers;
  // Step 0 uploads, the last one downloads.
  const int last_step = recording.steps.empty() ? 1 : recording.steps.back() + 1;
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
      touch(binding.buffer, recording.steps[i]);
  for (const Download& download : recording.downloads)
    touch(download.source.buffer, last_step);
  for (const Handover& handover : recording.exports)
    touch(handover.source.buffer, last_step);

  std::vector<Lifetime> planned{block};
  std::vector<size_t> owners;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].constant || buffers[i].upload || buffers[i].import >= 0 || lives[i].last < 0)
      continue;
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
  for (size_t k = 0; k < planned.size(); ++k) {
    const Lifetime& life = planned[k];
    layout.unplanned_bytes += static_cast<uint64_t>(life.bytes);
    if (life.bytes > 0)
      layout.blocks.push_back({k > 0 ? buffers[owners[k - 1]].name : names_of_uploads(buffers),
                               plan.offsets[k], life.bytes, life.first, life.last});
  }
  std::ranges::sort(layout.blocks, {},
                    [](const MemoryBlock& b) { return std::pair(b.offset, b.first); });
  return layout;
}

}  // namespace vultus::gpu
