#include "gpu/partition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <system_error>
#include <thread>

#include "gpu/layout.hpp"
#include "gpu/shared_buffer.hpp"

namespace vultus::gpu {

Result<std::unique_ptr<Partition>> VulkanPartition::create(const Context& context, Kernels& kernels,
                                                           ConvTimings& timings, const Graph& graph,
                                                           const PartitionSpec& spec) {
  std::unique_ptr<VulkanPartition> made(new VulkanPartition(context, graph));
  std::vector<Handover> imports;
  VULTUS_CHECK(made->find_imports(spec, imports));
  VULTUS_TRY(made->recording_, build_partition(context, graph, spec, &timings, imports));
  made->plan_memory();
  VULTUS_CHECK(made->create_kernels(kernels));
  VULTUS_CHECK(made->allocate(std::max<size_t>(spec.slots, 1)));
  VULTUS_CHECK(made->upload_weights());
  VULTUS_CHECK(made->tune(kernels, timings));
  made->count_choices();
  if (context.poison()) VULTUS_CHECK(made->fill_arena(0xffffffffu));
  VULTUS_CHECK(made->bind());
  VULTUS_CHECK(made->create_run_stamps());
  for (RunSlot& slot : made->slots_)
    VULTUS_CHECK(made->record_slot(slot));
  return std::unique_ptr<Partition>(std::move(made));
}

VulkanPartition::~VulkanPartition() {
  slots_.clear();  // waits
  profile_.reset();
  for (VkQueryPool pool : {timestamps_, run_stamps_})
    if (pool) context_.vk().vkDestroyQueryPool(context_.device(), pool, nullptr);
}

/// Where the values that earlier partitions hand over lie, and those that partitions share.
Result<void> VulkanPartition::find_imports(const PartitionSpec& spec,
                                           std::vector<Handover>& found) {
  for (const PartitionSpec::Import& import : spec.imports) {
    const auto* from = dynamic_cast<const VulkanPartition*>(import.from);
    const Handover* offered = nullptr;
    if (from && &from->context_ == &context_)
      for (const Handover& handover : from->recording_.exports)
        if (handover.value == import.value) offered = &handover;
    if (!offered)
      return Error{Errc::internal, fmt::format("'{}' is imported from a partition that does not "
                                               "export it",
                                               graph_.value(import.value).name)};
    found.push_back(*offered);
    imported_.push_back(from->slice(offered->source.buffer));
    found.back().bytes = imported_.back().bytes;
  }
  for (const PartitionSpec::Shared& shared : spec.shared) {
    const Value& value = graph_.value(shared.value);
    const auto* bytes = dynamic_cast<const SharedBuffer*>(shared.bytes);
    if (!bytes || &bytes->context() != &context_)
      return Error{Errc::internal,
                   fmt::format("'{}' is shared on another device than this", value.name)};
    const Buffer& buffer = bytes->buffer();
    found.push_back({shared.value,
                     {-1, Layout::linear, value.dtype, value.shape},
                     spec.precision,
                     buffer.bytes()});
    imported_.push_back({&buffer, 0, buffer.bytes()});
  }
  return {};
}

void VulkanPartition::plan_memory() {
  layout_ = lay_out(recording_, context_.alignment());
  for (const Download& download : recording_.downloads) {
    download_offsets_.push_back(download_bytes_);
    uint64_t bytes = download.source.elements() * 4ull;
    stats_.download_bytes += static_cast<int64_t>(bytes);
    download_bytes_ += align_up(bytes, context_.alignment());
  }
  for (const Upload& upload : recording_.uploads)
    stats_.upload_bytes += graph_.shape(upload.value).elements() *
                           static_cast<int64_t>(raw_size_of(graph_.value(upload.value).dtype));
  stats_.dispatches = static_cast<int64_t>(recording_.dispatches.size());
  stats_.reorders = recording_.relayouts;
  stats_.arena_bytes = static_cast<int64_t>(layout_.bytes);
  stats_.unplanned_bytes = static_cast<int64_t>(layout_.unplanned_bytes);
  stats_.weight_bytes = static_cast<int64_t>(recording_.constants.size());
}

Result<void> VulkanPartition::create_kernels(Kernels& kernels) {
  const auto& dispatches = recording_.dispatches;
  kernels_.resize(dispatches.size());
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::optional<Error> failure;
  // Drivers compile for seconds when their cache is cold, so on several threads.
  auto work = [&] {
    for (size_t i = next++; i < dispatches.size(); i = next++) {
      auto kernel = kernels.get(dispatches[i]);
      if (kernel) {
        kernels_[i] = *kernel;
        continue;
      }
      std::lock_guard lock(mutex);
      failure =
          Error{kernel.error().code,
                fmt::format("{}: {}", label_of(graph_, dispatches[i].node), kernel.error().what)};
      next = dispatches.size();
    }
  };
  const size_t most =
      std::min<size_t>({8, std::thread::hardware_concurrency(), dispatches.size() / 4});
  std::vector<std::thread> helpers;
  try {
    while (helpers.size() + 1 < most)
      helpers.emplace_back(work);
  } catch (const std::system_error&) {
    // Fewer threads, then.
  }
  work();
  for (std::thread& helper : helpers)
    helper.join();
  if (failure) return *failure;
  return {};
}

Result<void> VulkanPartition::allocate(size_t slots) {
  auto create = [&](Buffer& buffer, uint64_t bytes, MemoryUse use,
                    const char* what) -> Result<void> {
    if (bytes == 0) return {};
    VULTUS_TRY(buffer,
               Buffer::create(context_, bytes, use, fmt::format("{} of '{}'", what, graph_.name)));
    return {};
  };
  VULTUS_CHECK(create(arena_, layout_.bytes, MemoryUse::device, "activations"));
  VULTUS_CHECK(create(weights_, recording_.constants.size(), MemoryUse::device, "weights"));
  slots_.resize(slots);
  for (RunSlot& slot : slots_) {
    VULTUS_CHECK(create(slot.staging, recording_.upload_bytes, MemoryUse::staging, "inputs"));
    VULTUS_CHECK(create(slot.readback, download_bytes_, MemoryUse::readback, "outputs"));
    // With one run at a time a second queue only adds the way there and back.
    if (slots == 1 || !context_.copies_apart()) continue;
    VULTUS_CHECK(create(slot.inputs, recording_.upload_bytes, MemoryUse::exchange, "inputs"));
    VULTUS_CHECK(create(slot.outputs, download_bytes_, MemoryUse::exchange, "outputs"));
  }
  return {};
}

Result<void> VulkanPartition::fill_arena(uint32_t pattern) {
  if (layout_.bytes == 0) return {};
  return run_once(context_, [&](VkCommandBuffer commands) {
    const Vulkan& vk = context_.vk();
    memory_barrier(vk, commands, kCompute | kTransfer, kShaderAccess | kTransferAccess, kTransfer,
                   kTransferAccess);
    vk.vkCmdFillBuffer(commands, arena_.handle(), 0, VK_WHOLE_SIZE, pattern);
    memory_barrier(vk, commands, kTransfer, kTransferAccess, kCompute | kTransfer,
                   kShaderAccess | kTransferAccess);
  });
}

Result<void> VulkanPartition::upload_weights() {
  const Vulkan& vk = context_.vk();
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
      memory_barrier(vk, commands, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kCompute | kTransfer,
                     VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT);
    }));
  }
  std::vector<std::byte>().swap(recording_.constants);
  return {};
}

Slice VulkanPartition::slice(BufferId id) const {
  size_t i = static_cast<size_t>(id);
  const auto& info = recording_.buffers[i];
  if (info.constant) return {&weights_, info.offset, info.bytes};
  if (info.import >= 0) return imported_[static_cast<size_t>(info.import)];
  return {&arena_, layout_.offsets[i], info.bytes};
}

VkDescriptorBufferInfo VulkanPartition::described(BufferId id) const {
  const Slice at = slice(id);
  return {at.buffer->handle(), at.offset, at.bytes};
}

void VulkanPartition::count_choices() {
  for (const Choice& choice : recording_.choices) {
    ++stats_.choices;
    stats_.timed_choices += choice.timed;
    stats_.changed_choices += choice.used != choice.rule;
  }
}

Result<void> VulkanPartition::bind() {
  std::vector<Descriptors::Set> sets;
  for (size_t i = 0; i < recording_.dispatches.size(); ++i) {
    sets.push_back({kernels_[i]->set_layout, {}});
    for (const Binding& binding : recording_.dispatches[i].bindings)
      sets.back().buffers.push_back(described(binding.buffer));
  }
  VULTUS_TRY(descriptors_, Descriptors::create(context_, sets));
  return {};
}

Result<void> VulkanPartition::upload(ValueId input, const TensorView& data) {
  VULTUS_CHECK(slot().wait());  // a run in flight may still read the staging buffer
  for (const Upload& upload : recording_.uploads) {
    if (upload.value != input) continue;
    const Value& value = graph_.value(input);
    if (data.dtype != value.dtype || !(data.shape == value.shape))
      return Error{Errc::bad_input,
                   fmt::format("input '{}' is {} of shape {}, the network takes {} of shape {}",
                               value.name, name_of(data.dtype), data.shape.str(),
                               name_of(value.dtype), value.shape.str())};
    return copy_in(data, slot().staging.mapped().data() + upload.offset, value.name);
  }
  return Error{Errc::internal, fmt::format("value {} is no input of this partition", input)};
}

Result<void> VulkanPartition::submit() {
  VULTUS_CHECK(slot().wait());
  if (slot().staging.handle()) VULTUS_CHECK(slot().staging.flush());
  return slot().submit();
}

Result<void> VulkanPartition::wait() {
  VULTUS_CHECK(slot().wait());
  slot().done = std::chrono::steady_clock::now();
  if (slot().readback.handle()) VULTUS_CHECK(slot().readback.invalidate());
  return {};
}

Result<void> VulkanPartition::download(ValueId output, Tensor& out) {
  for (size_t i = 0; i < recording_.downloads.size(); ++i) {
    if (recording_.downloads[i].value != output) continue;
    const Value& value = graph_.value(output);
    if (out.dtype() != value.dtype || !(out.shape() == value.shape))
      out = Tensor(value.dtype, value.shape);
    copy_out(slot().readback.mapped().data() + download_offsets_[i], out);
    if (value.dynamic_rows) out.truncate(rows_present(out));
    return {};
  }
  return Error{Errc::internal, fmt::format("value {} is no output of this partition", output)};
}

}  // namespace vultus::gpu
