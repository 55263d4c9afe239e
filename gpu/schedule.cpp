#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "gpu/hazards.hpp"
#include "gpu/recording.hpp"
#include "host/ops/op.hpp"

namespace vultus::gpu {

std::string label_of(const Graph& graph, NodeId node) {
  return node < 0 ? fmt::format("'{}'", graph.name) : describe(graph.node(node));
}

Result<void> check_accesses(const Recording& recording, const Graph& graph) {
  const auto& buffers = recording.buffers;
  std::vector<bool> written(buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i)
    written[i] =
        buffers[i].constant || buffers[i].upload || buffers[i].import >= 0 || buffers[i].empty;
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
      if (binding.access != Access::read && buffers[id].import >= 0)
        return wrong("writes what another partition made");
    }
    for (const Binding& binding : dispatch.bindings)
      if (binding.access != Access::read) written[static_cast<size_t>(binding.buffer)] = true;
  }
  return {};
}

namespace {
/// Parts of one buffer that are told apart; more are taken for the whole.
constexpr size_t kMostParts = 64;
}  // namespace

void schedule(Recording& recording) {
  struct Use {
    int written = 0;  ///< step of the last write; 0: before the first dispatch
    int read = 0;     ///< last step that reads what was written
    std::vector<std::pair<Stripe, int>> parts = {};  ///< the writes that `written` is the last of
    int before = 0;                                  ///< step of the last write not among `parts`
  };
  // Of the writes that a write of a part meets.
  auto last_write = [](const Use& use, const Stripe& part) {
    int last = use.before;
    for (const auto& [other, step] : use.parts)
      if (!are_apart(part, other)) last = std::max(last, step);
    return last;
  };
  std::vector<Use> uses(recording.buffers.size());
  std::vector<int> steps;
  for (const Dispatch& dispatch : recording.dispatches) {
    int after = 0;
    for (const Binding& binding : dispatch.bindings) {
      const Use& use = uses[static_cast<size_t>(binding.buffer)];
      if (binding.access != Access::write || binding.part.period == 0)
        after = std::max(after, use.written);
      else
        after = std::max(after, last_write(use, binding.part));
      if (binding.access != Access::read) after = std::max(after, use.read);
    }
    const int step = after + 1;
    steps.push_back(step);
    for (const Binding& binding : dispatch.bindings) {
      Use& use = uses[static_cast<size_t>(binding.buffer)];
      int& last = binding.access == Access::read ? use.read : use.written;
      last = std::max(last, step);
      if (binding.access == Access::read) continue;
      if (binding.part.period != 0 && use.parts.size() < kMostParts)
        use.parts.emplace_back(binding.part, step);
      else
        use.before = std::max(use.before, step);
    }
  }
  std::vector<size_t> order(steps.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return steps[a] < steps[b]; });
  std::vector<Dispatch> sorted;
  recording.steps.clear();
  for (size_t i : order) {
    sorted.push_back(std::move(recording.dispatches[i]));
    recording.steps.push_back(steps[i]);
  }
  recording.dispatches = std::move(sorted);
}

}  // namespace vultus::gpu
