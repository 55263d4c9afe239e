#include "gpu/partition.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gpu/layout.hpp"
#include "host/ops/op.hpp"
#include "host/plan/plan.hpp"

namespace vultus::gpu {

namespace {

enum Memory : int { kArena, kWeights };

constexpr VkPipelineStageFlags kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
constexpr VkPipelineStageFlags kTransfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr VkAccessFlags kShaderAccess = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT;
constexpr VkAccessFlags kTransferAccess =
    VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;

}  // namespace

Result<std::unique_ptr<Partition>> VulkanPartition::create(const Context& context, Kernels& kernels,
                                                           const Graph& graph,
                                                           const PartitionSpec& spec) {
  std::unique_ptr<VulkanPartition> made(new VulkanPartition(context, graph));
  VULTUS_TRY(made->recording_, build_partition(context, graph, spec));
  VULTUS_CHECK(made->lay_out());
  VULTUS_CHECK(made->create_kernels(kernels, spec.precision));
  VULTUS_CHECK(made->allocate());
  VULTUS_CHECK(made->upload_weights());
  VULTUS_CHECK(made->bind());
  VULTUS_TRY(made->run_, Commands::create(context));
  VULTUS_CHECK(made->record(*made->run_, VK_NULL_HANDLE));
  return std::unique_ptr<Partition>(std::move(made));
}

VulkanPartition::~VulkanPartition() {
  run_.reset();  // waits
  profile_.reset();
  const Vulkan& vk = context_.vk();
  if (descriptor_pool_) vk.vkDestroyDescriptorPool(context_.device(), descriptor_pool_, nullptr);
  if (timestamps_) vk.vkDestroyQueryPool(context_.device(), timestamps_, nullptr);
}

Result<void> VulkanPartition::lay_out() {
  const auto& buffers = recording_.buffers;
  // Step 0 uploads, dispatch i is step i + 1, the last step downloads.
  const int last_step = static_cast<int>(recording_.dispatches.size()) + 1;
  std::vector<Lifetime> lives(buffers.size(), Lifetime{0, last_step, -1});
  Lifetime block{static_cast<int64_t>(recording_.upload_bytes), 0, 0};
  auto touch = [&](BufferId id, int step) {
    size_t i = static_cast<size_t>(id);
    Lifetime& life = buffers[i].upload ? block : lives[i];
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  std::vector<bool> written(buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i)
    written[i] = buffers[i].constant || buffers[i].upload;
  for (size_t i = 0; i < recording_.dispatches.size(); ++i) {
    const Dispatch& dispatch = recording_.dispatches[i];
    for (const Binding& binding : dispatch.bindings) {
      size_t id = static_cast<size_t>(binding.buffer);
      if (binding.buffer < 0 || id >= buffers.size() ||
          (binding.access != Access::write && !written[id]) ||
          (binding.access != Access::read && buffers[id].constant))
        return Error{Errc::internal,
                     fmt::format("kernel {} of {} binds a buffer that does not exist, that nothing "
                                 "has written yet, or writes a constant",
                                 dispatch.kernel, describe(graph_.node(dispatch.node)))};
      touch(binding.buffer, static_cast<int>(i) + 1);
    }
    for (const Binding& binding : dispatch.bindings)
      if (binding.access != Access::read) written[static_cast<size_t>(binding.buffer)] = true;
  }
  for (const Download& download : recording_.downloads)
    touch(download.source.buffer, last_step);

  std::vector<Lifetime> planned{block};
  std::vector<size_t> owner;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].constant || buffers[i].upload || lives[i].last < 0) continue;
    lives[i].bytes = static_cast<int64_t>(buffers[i].bytes);
    planned.push_back(lives[i]);
    owner.push_back(i);
  }
  ArenaPlan plan = plan_arena(planned, static_cast<int64_t>(context_.alignment()));
  arena_bytes_ = static_cast<uint64_t>(plan.bytes);
  arena_offsets_.resize(buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].upload)
      arena_offsets_[i] = static_cast<uint64_t>(plan.offsets[0]) + buffers[i].offset;
  for (size_t k = 0; k < owner.size(); ++k)
    arena_offsets_[owner[k]] = static_cast<uint64_t>(plan.offsets[k + 1]);

  for (const Download& download : recording_.downloads) {
    download_offsets_.push_back(download_bytes_);
    uint64_t bytes = download.source.elements() * 4ull;
    stats_.download_bytes += static_cast<int64_t>(bytes);
    download_bytes_ += align_up(bytes, context_.alignment());
  }
  for (const Upload& upload : recording_.uploads)
    stats_.upload_bytes += graph_.shape(upload.value).elements() * 4;
  for (const Lifetime& life : planned)
    stats_.unplanned_bytes += life.bytes;
  stats_.dispatches = static_cast<int64_t>(recording_.dispatches.size());
  stats_.reorders = recording_.relayouts;
  stats_.arena_bytes = plan.bytes;
  stats_.weight_bytes = static_cast<int64_t>(recording_.constants.size());
  return {};
}

Result<void> VulkanPartition::create_kernels(Kernels& kernels, Precision precision) {
  for (const Dispatch& dispatch : recording_.dispatches) {
    auto kernel = kernels.get(dispatch, precision);
    if (!kernel)
      return Error{kernel.error().code, fmt::format("{}: {}", describe(graph_.node(dispatch.node)),
                                                    kernel.error().what)};
    kernels_.push_back(*kernel);
  }
  return {};
}

Result<void> VulkanPartition::allocate() {
  auto create = [&](Buffer& buffer, uint64_t bytes, MemoryUse use,
                    const char* what) -> Result<void> {
    if (bytes == 0) return {};
    VULTUS_TRY(buffer,
               Buffer::create(context_, bytes, use, fmt::format("{} of '{}'", what, graph_.name)));
    return {};
  };
  VULTUS_CHECK(create(arena_, arena_bytes_, MemoryUse::device, "activations"));
  VULTUS_CHECK(create(weights_, recording_.constants.size(), MemoryUse::device, "weights"));
  VULTUS_CHECK(create(staging_, recording_.upload_bytes, MemoryUse::staging, "inputs"));
  return create(readback_, download_bytes_, MemoryUse::readback, "outputs");
}

Result<void> VulkanPartition::upload_weights() {
  const Vulkan& vk = context_.vk();
  if (context_.poison() && arena_bytes_ > 0)
    VULTUS_CHECK(run_once(context_, [&](VkCommandBuffer commands) {
      vk.vkCmdFillBuffer(commands, arena_.handle(), 0, VK_WHOLE_SIZE, 0xffffffffu);
      memory_barrier(vk, commands, kTransfer, kTransferAccess, kCompute | kTransfer,
                     kShaderAccess | kTransferAccess);
    }));
  constexpr uint64_t kChunk = 64u << 20;
  std::span<const std::byte> all = recording_.constants;
  if (all.empty()) return {};
  VULTUS_TRY(Buffer staging, Buffer::create(context_, std::min<uint64_t>(kChunk, all.size()),
                                            MemoryUse::staging, "loading weights"));
  for (uint64_t at = 0; at < all.size(); at += kChunk) {
    auto part = all.subspan(at, std::min<uint64_t>(kChunk, all.size() - at));
    std::copy(part.begin(), part.end(), staging.mapped().begin());
    VULTUS_CHECK(staging.flush());
    VULTUS_CHECK(run_once(context_, [&](VkCommandBuffer commands) {
      VkBufferCopy region{0, at, part.size()};
      vk.vkCmdCopyBuffer(commands, staging.handle(), weights_.handle(), 1, &region);
      memory_barrier(vk, commands, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kCompute,
                     VK_ACCESS_SHADER_READ_BIT);
    }));
  }
  std::vector<std::byte>().swap(recording_.constants);
  return {};
}

VulkanPartition::Slice VulkanPartition::slice(BufferId id) const {
  size_t i = static_cast<size_t>(id);
  const auto& info = recording_.buffers[i];
  if (info.constant) return {&weights_, info.offset, info.bytes};
  return {&arena_, arena_offsets_[i], info.bytes};
}

Result<void> VulkanPartition::bind() {
  const Vulkan& vk = context_.vk();
  uint32_t sets = static_cast<uint32_t>(recording_.dispatches.size());
  if (sets == 0) return {};
  VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0};
  std::vector<VkDescriptorSetLayout> layouts;
  for (size_t i = 0; i < sets; ++i) {
    size.descriptorCount += static_cast<uint32_t>(recording_.dispatches[i].bindings.size());
    layouts.push_back(kernels_[i]->set_layout);
  }
  VkDescriptorPoolCreateInfo pool{};
  pool.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  pool.maxSets = sets;
  pool.poolSizeCount = 1;
  pool.pPoolSizes = &size;
  VULTUS_VK(vk.vkCreateDescriptorPool(context_.device(), &pool, nullptr, &descriptor_pool_),
            "creating descriptors");
  VkDescriptorSetAllocateInfo allocate{};
  allocate.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
  allocate.descriptorPool = descriptor_pool_;
  allocate.descriptorSetCount = sets;
  allocate.pSetLayouts = layouts.data();
  sets_.resize(sets);
  VULTUS_VK(vk.vkAllocateDescriptorSets(context_.device(), &allocate, sets_.data()),
            "creating descriptors");

  std::vector<VkDescriptorBufferInfo> infos;
  infos.reserve(size.descriptorCount);  // writes point into it
  std::vector<VkWriteDescriptorSet> writes;
  for (size_t i = 0; i < sets; ++i) {
    const auto& bindings = recording_.dispatches[i].bindings;
    for (size_t b = 0; b < bindings.size(); ++b) {
      Slice at = slice(bindings[b].buffer);
      infos.push_back({at.buffer->handle(), at.offset, at.bytes});
      VkWriteDescriptorSet write{};
      write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
      write.dstSet = sets_[i];
      write.dstBinding = static_cast<uint32_t>(b);
      write.descriptorCount = 1;
      write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
      write.pBufferInfo = &infos.back();
      writes.push_back(write);
    }
  }
  vk.vkUpdateDescriptorSets(context_.device(), static_cast<uint32_t>(writes.size()), writes.data(),
                            0, nullptr);
  return {};
}

bool VulkanPartition::needs_barrier(HazardTracker& hazards, const Dispatch& dispatch) const {
  std::vector<Range> reads, writes;
  for (const Binding& binding : dispatch.bindings) {
    Slice at = slice(binding.buffer);
    if (at.buffer == &weights_) continue;
    Range range{kArena, at.offset, at.offset + at.bytes};
    if (binding.access != Access::write) reads.push_back(range);
    if (binding.access != Access::read) writes.push_back(range);
  }
  return hazards.access(reads, writes);
}

void VulkanPartition::record_uploads(VkCommandBuffer commands) {
  const Vulkan& vk = context_.vk();
  // Orders this run after whatever the queue did with the same memory before.
  memory_barrier(vk, commands, kCompute | kTransfer, kShaderAccess | kTransferAccess,
                 kCompute | kTransfer, kShaderAccess | kTransferAccess);
  if (recording_.uploads.empty()) return;
  BufferId first = 0;
  while (!recording_.buffers[static_cast<size_t>(first)].upload)
    ++first;
  VkBufferCopy region{0, slice(first).offset, recording_.upload_bytes};
  vk.vkCmdCopyBuffer(commands, staging_.handle(), arena_.handle(), 1, &region);
  memory_barrier(vk, commands, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kCompute | kTransfer,
                 kShaderAccess | VK_ACCESS_TRANSFER_READ_BIT);
}

void VulkanPartition::record_dispatch(VkCommandBuffer commands, size_t i) {
  const Vulkan& vk = context_.vk();
  const Dispatch& dispatch = recording_.dispatches[i];
  const Kernel& kernel = *kernels_[i];
  if (context_.labels()) {
    std::string name =
        fmt::format("{} ({})", describe(graph_.node(dispatch.node)), dispatch.kernel);
    VkDebugUtilsLabelEXT label{};
    label.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT;
    label.pLabelName = name.c_str();
    vk.vkCmdBeginDebugUtilsLabelEXT(commands, &label);
  }
  if (i == 0 || kernels_[i - 1]->pipeline != kernel.pipeline)
    vk.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
  vk.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.layout, 0, 1,
                             &sets_[i], 0, nullptr);
  if (kernel.push_bytes > 0)
    vk.vkCmdPushConstants(commands, kernel.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                          kernel.push_bytes, dispatch.push.data());
  auto groups = [&](size_t axis) {
    return (dispatch.threads[axis] + kernel.local_size[axis] - 1) / kernel.local_size[axis];
  };
  vk.vkCmdDispatch(commands, groups(0), groups(1), groups(2));
  if (context_.labels()) vk.vkCmdEndDebugUtilsLabelEXT(commands);
}

void VulkanPartition::record_downloads(VkCommandBuffer commands) {
  if (recording_.downloads.empty()) return;
  const Vulkan& vk = context_.vk();
  std::vector<VkBufferCopy> regions;
  for (size_t i = 0; i < recording_.downloads.size(); ++i) {
    const TensorRef& source = recording_.downloads[i].source;
    if (source.elements() > 0)
      regions.push_back(
          {slice(source.buffer).offset, download_offsets_[i], source.elements() * 4ull});
  }
  if (regions.empty()) return;
  memory_barrier(vk, commands, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kTransfer,
                 VK_ACCESS_TRANSFER_READ_BIT);
  vk.vkCmdCopyBuffer(commands, arena_.handle(), readback_.handle(),
                     static_cast<uint32_t>(regions.size()), regions.data());
  memory_barrier(vk, commands, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                 VK_ACCESS_HOST_READ_BIT);
}

Result<void> VulkanPartition::record(Commands& commands, VkQueryPool timestamps) {
  const Vulkan& vk = context_.vk();
  VULTUS_TRY(VkCommandBuffer buffer, commands.begin());
  uint32_t count = static_cast<uint32_t>(recording_.dispatches.size());
  if (timestamps) vk.vkCmdResetQueryPool(buffer, timestamps, 0, count + 1);
  record_uploads(buffer);
  if (timestamps)
    vk.vkCmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, timestamps, 0);
  HazardTracker hazards;
  int64_t barriers = 0;
  for (uint32_t i = 0; i < count; ++i) {
    // When timed, each dispatch waits for the one before, or their times would overlap.
    if (needs_barrier(hazards, recording_.dispatches[i]) || (timestamps && i > 0)) {
      memory_barrier(vk, buffer, kCompute, VK_ACCESS_SHADER_WRITE_BIT, kCompute, kShaderAccess);
      ++barriers;
    }
    record_dispatch(buffer, i);
    if (timestamps)
      vk.vkCmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT, timestamps, i + 1);
  }
  record_downloads(buffer);
  if (!timestamps) stats_.barriers = barriers;
  return commands.end();
}

Result<void> VulkanPartition::upload(ValueId input, const TensorView& data) {
  for (const Upload& upload : recording_.uploads) {
    if (upload.value != input) continue;
    const Value& value = graph_.value(input);
    if (data.dtype != value.dtype || !(data.shape == value.shape))
      return Error{Errc::bad_input,
                   fmt::format("input '{}' is {} of shape {}, the network takes {} of shape {}",
                               value.name, name_of(data.dtype), data.shape.str(),
                               name_of(value.dtype), value.shape.str())};
    return copy_in(data, staging_.mapped().data() + upload.offset, value.name);
  }
  return Error{Errc::internal, fmt::format("value {} is no input of this partition", input)};
}

Result<void> VulkanPartition::submit() {
  if (staging_.handle()) VULTUS_CHECK(staging_.flush());
  return run_->submit();
}

Result<void> VulkanPartition::wait() {
  VULTUS_CHECK(run_->wait());
  if (readback_.handle()) VULTUS_CHECK(readback_.invalidate());
  return {};
}

Result<void> VulkanPartition::download(ValueId output, Tensor& out) {
  for (size_t i = 0; i < recording_.downloads.size(); ++i) {
    if (recording_.downloads[i].value != output) continue;
    const Value& value = graph_.value(output);
    if (out.dtype() != value.dtype || !(out.shape() == value.shape))
      out = Tensor(value.dtype, value.shape);
    copy_out(readback_.mapped().data() + download_offsets_[i], out);
    if (value.dynamic_rows) out.truncate(rows_present(out));
    return {};
  }
  return Error{Errc::internal, fmt::format("value {} is no output of this partition", output)};
}

Result<std::vector<NodeTime>> VulkanPartition::profile() {
  const Vulkan& vk = context_.vk();
  const uint32_t bits = context_.report().timestamp_bits;
  const uint32_t count = static_cast<uint32_t>(recording_.dispatches.size());
  if (bits == 0)
    return Error{Errc::no_device,
                 fmt::format("{} has no timestamps on its compute queue: nodes cannot be timed",
                             context_.report().name)};
  VULTUS_CHECK(wait());
  if (!profile_) {
    VkQueryPoolCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO;
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = count + 1;
    VULTUS_VK(vk.vkCreateQueryPool(context_.device(), &info, nullptr, &timestamps_),
              "creating timestamps");
    VULTUS_TRY(Commands commands, Commands::create(context_));
    VULTUS_CHECK(record(commands, timestamps_));
    profile_ = std::move(commands);
  }
  if (staging_.handle()) VULTUS_CHECK(staging_.flush());
  VULTUS_CHECK(profile_->submit());
  VULTUS_CHECK(profile_->wait());
  std::vector<uint64_t> ticks(count + 1);
  VULTUS_VK(
      vk.vkGetQueryPoolResults(context_.device(), timestamps_, 0, count + 1, ticks.size() * 8,
                               ticks.data(), 8, VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT),
      "reading timestamps");
  const uint64_t mask = bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  const double ms_per_tick =
      static_cast<double>(context_.properties().limits.timestampPeriod) * 1e-6;
  std::vector<NodeTime> times;
  for (uint32_t i = 0; i < count; ++i) {
    double ms = static_cast<double>((ticks[i + 1] - ticks[i]) & mask) * ms_per_tick;
    NodeId node = recording_.dispatches[i].node;
    auto it =
        std::find_if(times.begin(), times.end(), [&](const NodeTime& t) { return t.node == node; });
    if (it == times.end())
      times.push_back({node, ms});
    else
      it->ms += ms;
  }
  return times;
}

}  // namespace vultus::gpu
