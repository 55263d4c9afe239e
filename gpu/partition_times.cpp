#include "gpu/partition.hpp"

// When the device copied and computed in plain runs.

namespace vultus::gpu {

namespace {

double ms_of(Moment moment) {
  return std::chrono::duration<double, std::milli>(moment.time_since_epoch()).count();
}

Moment moment_of(double ms) {
  return Moment(
      std::chrono::duration_cast<Moment::duration>(std::chrono::duration<double, std::milli>(ms)));
}

}  // namespace

Result<void> VulkanPartition::create_run_stamps() {
  if (context_.report().timestamp_bits == 0) return {};
  VkQueryPoolCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
  info.queryType = VK_QUERY_TYPE_TIMESTAMP;
  info.queryCount = static_cast<uint32_t>(slots_.size()) * kRunStamps;
  VULTUS_VK(context_.vk().vkCreateQueryPool(context_.device(), &info, nullptr, &run_stamps_),
            "creating timestamps");
  return {};
}

double VulkanPartition::device_ms(uint64_t ticks) const {
  return static_cast<double>(ticks) *
         static_cast<double>(context_.properties().limits.timestampPeriod) * 1e-6;
}

uint64_t VulkanPartition::tick_mask() const {
  const uint32_t bits = context_.report().timestamp_bits;
  return bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
}

std::optional<DeviceTimes> VulkanPartition::device_times() {
  if (!run_stamps_) return {};
  std::array<uint64_t, kRunStamps> ticks{};
  const auto first = static_cast<uint32_t>(selected_) * kRunStamps;
  if (context_.vk().vkGetQueryPoolResults(context_.device(), run_stamps_, first, kRunStamps,
                                          sizeof ticks, ticks.data(), sizeof ticks[0],
                                          VK_QUERY_RESULT_64_BIT) != VK_SUCCESS)
    return {};
  const uint64_t mask = tick_mask();
  const double begin = device_ms(ticks[0] & mask);
  auto after = [&](size_t i) { return begin + device_ms((ticks[i] - ticks[0]) & mask); };
  const RunSlot& run = slot();
  host_clock_.learn(begin, after(3), ms_of(run.submitted), ms_of(run.done));
  auto moment = [&](double at) { return moment_of(host_clock_.host_time(at)); };
  // Clocks of two queues cannot be compared: what comes before and after on the queue for copies is
  // known by the host only.
  return DeviceTimes{run.upload ? run.submitted : moment(begin), moment(after(1)), moment(after(2)),
                     run.download ? run.done : moment(after(3))};
}

}  // namespace vultus::gpu
