#include <fmt/format.h>

#include <algorithm>

#include "gpu/partition.hpp"

// The timed run of a partition.

namespace vultus::gpu {

Result<void> VulkanPartition::prepare_profile() {
  if (profile_) return {};
  VkQueryPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
  info.queryType = VK_QUERY_TYPE_TIMESTAMP;
  info.queryCount = static_cast<uint32_t>(recording_.dispatches.size()) + 3;
  if (!timestamps_)
    VULTUS_VK(context_.vk().vkCreateQueryPool(context_.device(), &info, nullptr, &timestamps_),
              "creating timestamps");
  VULTUS_TRY(Commands commands, Commands::create(context_));
  VULTUS_CHECK(record(commands, slots_[0].staging, slots_[0].readback,
                      {timestamps_, 0, info.queryCount, true}));
  profile_ = std::move(commands);
  return {};
}

int64_t VulkanPartition::bytes_of(const Dispatch& dispatch) const {
  std::vector<BufferId> counted;
  int64_t bytes = 0;
  for (const Binding& binding : dispatch.bindings) {
    if (std::ranges::find(counted, binding.buffer) != counted.end()) continue;
    counted.push_back(binding.buffer);
    bytes += static_cast<int64_t>(slice(binding.buffer).bytes);
  }
  return bytes;
}

Result<std::vector<StepTime>> VulkanPartition::profile() {
  const uint32_t count = static_cast<uint32_t>(recording_.dispatches.size());
  if (context_.report().timestamp_bits == 0)
    return Error{Errc::no_device,
                 fmt::format("{} has no timestamps on its compute queue: nodes cannot be timed",
                             context_.report().name)};
  for (RunSlot& slot : slots_)
    VULTUS_CHECK(slot.wait());
  VULTUS_CHECK(prepare_profile());
  if (slots_[0].staging.handle()) VULTUS_CHECK(slots_[0].staging.flush());
  VULTUS_CHECK(profile_->submit());
  VULTUS_CHECK(profile_->wait());
  std::vector<uint64_t> ticks(count + 3);
  VULTUS_VK(context_.vk().vkGetQueryPoolResults(context_.device(), timestamps_, 0, count + 3,
                                                ticks.size() * 8, ticks.data(), 8,
                                                VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
            "reading timestamps");
  auto ms_between = [&](size_t from, size_t to) {
    return device_ms((ticks[to] - ticks[from]) & tick_mask());
  };
  std::vector<StepTime> steps;
  auto add = [&](size_t query, NodeId node, const std::string& kernel, int64_t bytes) {
    steps.push_back({node, kernel, ms_between(0, query - 1), ms_between(query - 1, query), bytes});
  };
  if (stats_.upload_bytes > 0) add(1, -1, "upload", stats_.upload_bytes);
  for (uint32_t i = 0; i < count; ++i) {
    const Dispatch& dispatch = recording_.dispatches[i];
    add(i + 2, dispatch.node, dispatch.kernel, bytes_of(dispatch));
  }
  if (stats_.download_bytes > 0) add(count + 2, -1, "download", stats_.download_bytes);
  return steps;
}

}  // namespace vultus::gpu
