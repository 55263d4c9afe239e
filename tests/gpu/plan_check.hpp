#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "gpu/recording.hpp"

namespace vultus::gpu {

/// Replays a recording on paper over its arena. Every 16 bytes remember which buffer was written
/// there last and which dispatches of the present step touched them.
class PlanCheck {
 public:
  PlanCheck(const Recording& recording, const ArenaLayout& layout, uint64_t alignment,
            uint64_t max_range)
      : recording_(recording),
        layout_(layout),
        alignment_(alignment),
        max_range_(max_range),
        cells_((layout.bytes + kCell - 1) / kCell) {}

  /// The first mistake, in words: a read of bytes that nobody wrote or that another buffer owns by
  /// now, two dispatches of one step in each other's way, a range outside the arena, misaligned or
  /// longer than a kernel may see. Empty: there is none.
  std::string run() {
    for (size_t id = 0; id < recording_.buffers.size(); ++id)
      if (recording_.buffers[id].upload) write(static_cast<BufferId>(id), {}, kHost, 0);
    for (size_t i = 0; i < recording_.dispatches.size(); ++i) {
      auto bindings = recording_.dispatches[i].bindings;
      const int step = recording_.steps[i];
      for (const Binding& b : bindings)
        if (b.access != Access::write) read(b.buffer, b.part, static_cast<int>(i), step);
      for (const Binding& b : bindings)
        if (b.access != Access::read) write(b.buffer, b.part, static_cast<int>(i), step);
    }
    const int last = recording_.steps.empty() ? 1 : recording_.steps.back() + 1;
    for (const Download& download : recording_.downloads)
      read(download.source.buffer, {}, kHost, last);
    for (const Handover& handover : recording_.exports)
      read(handover.source.buffer, {}, kHost, last);
    return mistake_;
  }

 private:
  static constexpr uint64_t kCell = 16;
  static constexpr int kHost = -1, kNobody = -2, kSeveral = -3;
  struct Cell {
    BufferId owner = -1;
    int writer = kNobody, write_step = -1;
    int reader = kNobody, read_step = -1;
  };

  void fail(const std::string& what) {
    if (mistake_.empty()) mistake_ = what;
  }

  template <class Visit>
  void visit(BufferId id, const Stripe& part, int dispatch, Visit visit_cell) {
    const auto& buffer = recording_.buffers[static_cast<size_t>(id)];
    if (buffer.bytes > max_range_)
      fail(fmt::format("dispatch {}: '{}' is {} bytes long", dispatch, buffer.name, buffer.bytes));
    uint64_t at = buffer.constant ? buffer.offset : layout_.offsets[static_cast<size_t>(id)];
    if (at % alignment_ != 0)
      fail(fmt::format("dispatch {}: '{}' begins at {}", dispatch, buffer.name, at));
    if (buffer.constant || buffer.empty || buffer.import >= 0) return;
    if (at + buffer.bytes > layout_.bytes)
      return fail(fmt::format("dispatch {}: '{}' ends at {}, the arena at {}", dispatch,
                              buffer.name, at + buffer.bytes, layout_.bytes));
    if (part.first % kCell != 0 || part.last % kCell != 0 || part.period % kCell != 0 ||
        part.last > part.period)
      fail(fmt::format("dispatch {}: '{}' is written in parts of a group of channels", dispatch,
                       buffer.name));
    for (uint64_t c = at / kCell; c < (at + buffer.bytes) / kCell; ++c) {
      const uint64_t place = part.period == 0 ? 0 : (c * kCell - at) % part.period;
      if (part.period == 0 || (place >= part.first && place < part.last)) visit_cell(cells_[c]);
    }
  }

  void read(BufferId id, const Stripe& part, int dispatch, int step) {
    visit(id, part, dispatch, [&](Cell& cell) {
      if (cell.owner != id)
        fail(fmt::format("dispatch {} reads '{}', whose bytes hold buffer {}", dispatch,
                         recording_.buffers[static_cast<size_t>(id)].name, cell.owner));
      if (cell.write_step == step && cell.writer != dispatch)
        fail(fmt::format("dispatch {} reads what dispatch {} writes in the same step", dispatch,
                         cell.writer));
      cell.reader = cell.read_step == step && cell.reader != dispatch ? kSeveral : dispatch;
      cell.read_step = step;
    });
  }

  void write(BufferId id, const Stripe& part, int dispatch, int step) {
    visit(id, part, dispatch, [&](Cell& cell) {
      if (cell.read_step == step && (cell.reader != dispatch || cell.owner != id))
        fail(fmt::format("dispatch {} writes over what is read in the same step", dispatch));
      if (cell.write_step == step && cell.writer != dispatch)
        fail(fmt::format("dispatches {} and {} write the same bytes in one step", cell.writer,
                         dispatch));
      cell.owner = id;
      cell.writer = dispatch;
      cell.write_step = step;
    });
  }

  const Recording& recording_;
  const ArenaLayout& layout_;
  uint64_t alignment_, max_range_;
  std::vector<Cell> cells_;
  std::string mistake_;
};

inline std::string check_plan(const Recording& recording, const ArenaLayout& layout,
                              uint64_t alignment, uint64_t max_range) {
  return PlanCheck(recording, layout, alignment, max_range).run();
}

}  // namespace vultus::gpu
