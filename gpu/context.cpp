#include "gpu/context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "gpu/capabilities.hpp"
#include "gpu/device_class.hpp"
#include "gpu/ops/conv_choice.hpp"

namespace vultus::gpu {

namespace {

bool validation_wanted(const OpenOptions& options) {
  const char* set = std::getenv("VULTUS_VALIDATION");
  return options.validation || (set && std::strcmp(set, "1") == 0);
}

Caps caps_of(const DeviceReport& report, const VkPhysicalDeviceLimits& limits) {
  Caps caps;
  caps.subgroup_size = report.subgroup_size;
  caps.subgroup_size_control = report.subgroup_size_control;
  caps.max_workgroup_subgroups = report.max_workgroup_subgroups;
  caps.software = report.type == "software";
  caps.storage16 = report.storage16;
  caps.max_storage_range = limits.maxStorageBufferRange;
  caps.max_shared_bytes = limits.maxComputeSharedMemorySize;
  caps.max_invocations =
      std::min(limits.maxComputeWorkGroupInvocations, limits.maxComputeWorkGroupSize[0]);
  DeviceClass device_class = classify(report);
  caps.cores = device_class.cores;
  caps.staging = device_class.staging;
  caps.cooperative = report.cooperative.kind;
  std::copy_n(limits.maxComputeWorkGroupCount, 3, caps.max_workgroups);
  return caps;
}

}  // namespace

Result<std::unique_ptr<Context>> Context::create(const OpenOptions& options) {
  std::unique_ptr<Context> context(new Context);
  VULTUS_TRY(context->instance_, Instance::create(validation_wanted(options)));
  VULTUS_TRY(auto physical, context->instance_->physical_devices());
  std::vector<DeviceReport> reports;
  for (size_t i = 0; i < physical.size(); ++i)
    reports.push_back(context->instance_->report(physical[i], static_cast<int>(i)));
  VULTUS_TRY(int chosen, choose_device(reports, options));
  context->report_ = reports[static_cast<size_t>(chosen)];
  context->poison_ = options.poison;
  if (options.emulate_cooperative)
    context->report_.cooperative = {Cooperative::emulated, "in plain arithmetic, for tests"};
  context->copies_apart_ = options.copies_apart;
  VULTUS_CHECK(context->create_device(physical[static_cast<size_t>(chosen)]));
  VULTUS_CHECK(context->force_convolutions(options.conv));
  if (options.max_storage_range > 0)
    context->caps_.max_storage_range =
        std::min(context->caps_.max_storage_range, options.max_storage_range);
  return context;
}

Result<void> Context::force_convolutions(const ConvForce& force) {
  if (force.family == ConvFamily::depthwise || force.family == ConvFamily::stem)
    return Error{Errc::usage, fmt::format("convolution kernels '{}' cannot be forced: they follow "
                                          "from the shape; use auto, direct, tile or coop",
                                          name_of(force.family))};
  if (force.family == ConvFamily::coop && report_.cooperative.kind == Cooperative::none)
    return Error{Errc::no_device,
                 fmt::format("{} cannot run cooperative-matrix convolutions: {}; use auto, direct "
                             "or tile",
                             report_.name, report_.cooperative.reason)};
  if (force.tile >= static_cast<int>(kConvTiles.size()) ||
      (force.split > 0 && !std::has_single_bit(force.split)))
    return Error{Errc::usage, fmt::format("there is no convolution tile {} with K split in {}",
                                          force.tile, force.split)};
  caps_.force = force;
  return {};
}

Result<void> Context::create_device(VkPhysicalDevice physical) {
  vk_ = instance_->vk();
  vk_.vkGetPhysicalDeviceProperties(physical, &properties_);
  vk_.vkGetPhysicalDeviceMemoryProperties(physical, &memory_);
  caps_ = caps_of(report_, properties_.limits);
  const auto families = queue_families(vk_, physical);
  queue_family_ = copy_family_ = static_cast<uint32_t>(compute_family(families));
  if (int copies = copy_family(families); copies >= 0) {
    copy_family_ = static_cast<uint32_t>(copies);
    copies_apart_ = true;
  }

  const float priority = 1.0f;
  VkDeviceQueueCreateInfo queues[2] = {};
  for (VkDeviceQueueCreateInfo& queue : queues) {
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
  }
  queues[0].queueFamilyIndex = queue_family_;
  queues[1].queueFamilyIndex = copy_family_;

  VkPhysicalDeviceVulkan12Features features12{};
  features12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
  features12.timelineSemaphore = VK_TRUE;
  features12.shaderFloat16 = report_.float16;
  VkPhysicalDeviceVulkan11Features features11{};
  features11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
  features11.pNext = &features12;
  features11.storageBuffer16BitAccess = report_.storage16;
  features12.vulkanMemoryModel =
      report_.cooperative.kind == Cooperative::khr || report_.cooperative.kind == Cooperative::nv;
  KernelFeatures kernels(report_);
  features12.pNext = kernels.chain;
  VkDeviceCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
  info.pNext = &features11;
  info.enabledExtensionCount = static_cast<uint32_t>(kernels.extensions.size());
  info.ppEnabledExtensionNames = kernels.extensions.data();
  info.queueCreateInfoCount = copy_family_ == queue_family_ ? 1 : 2;
  info.pQueueCreateInfos = queues;
  VULTUS_VK(vk_.vkCreateDevice(physical, &info, nullptr, &device_),
            fmt::format("opening {}", report_.name));
  vk_.resolve_device(device_);
  vk_.vkGetDeviceQueue(device_, queue_family_, 0, &queue_);
  vk_.vkGetDeviceQueue(device_, copy_family_, 0, &copy_queue_);
  return {};
}

Context::~Context() {
  if (!device_) return;
  vk_.vkDeviceWaitIdle(device_);
  vk_.vkDestroyDevice(device_, nullptr);
}

uint64_t Context::alignment() const {
  return std::max<uint64_t>(32, properties_.limits.minStorageBufferOffsetAlignment);
}

Result<void> Context::submit(const Submission& submission) const {
  const bool waits = submission.wait.semaphore != VK_NULL_HANDLE;
  const VkPipelineStageFlags everything = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
  VkTimelineSemaphoreSubmitInfo timeline{};
  timeline.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
  timeline.waitSemaphoreValueCount = waits ? 1 : 0;
  timeline.pWaitSemaphoreValues = &submission.wait.value;
  timeline.signalSemaphoreValueCount = 1;
  timeline.pSignalSemaphoreValues = &submission.signal.value;
  VkSubmitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
  info.pNext = &timeline;
  info.waitSemaphoreCount = waits ? 1 : 0;
  info.pWaitSemaphores = &submission.wait.semaphore;
  info.pWaitDstStageMask = &everything;
  info.commandBufferCount = 1;
  info.pCommandBuffers = &submission.commands;
  info.signalSemaphoreCount = 1;
  info.pSignalSemaphores = &submission.signal.semaphore;
  VkQueue queue = submission.queue == Queue::compute ? queue_ : copy_queue_;
  std::lock_guard lock(queue_mutex_);
  VULTUS_VK(vk_.vkQueueSubmit(queue, 1, &info, VK_NULL_HANDLE), "giving work to the GPU");
  return {};
}

Result<void> Context::wait(const TimelinePoint& point) const {
  constexpr uint64_t kTenMinutes = 600'000'000'000;
  VkSemaphoreWaitInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
  info.semaphoreCount = 1;
  info.pSemaphores = &point.semaphore;
  info.pValues = &point.value;
  VkResult result = vk_.vkWaitSemaphores(device_, &info, kTenMinutes);
  if (result == VK_TIMEOUT)
    return Error{Errc::device_lost,
                 fmt::format("{} did not finish within ten minutes: run again or with --device cpu",
                             report_.name)};
  VULTUS_VK(result, "waiting for the GPU");
  return {};
}

Result<VkSemaphore> Context::create_timeline() const {
  VkSemaphoreTypeCreateInfo type{};
  type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
  info.pNext = &type;
  VkSemaphore semaphore = VK_NULL_HANDLE;
  VULTUS_VK(vk_.vkCreateSemaphore(device_, &info, nullptr, &semaphore), "creating a semaphore");
  return semaphore;
}

}  // namespace vultus::gpu
