#include "gpu/pipeline_cache.hpp"

#include <fmt/format.h>

#include <cstring>

namespace vultus::gpu {

namespace {

constexpr size_t kMaxBytes = 256u << 20;

struct Header {
  char magic[4] = {'V', 'L', 'P', 'C'};
  uint32_t version = 1;
  uint32_t vendor = 0, device = 0, driver = 0;
  uint8_t uuid[VK_UUID_SIZE] = {};
  uint32_t reserved = 0;
  uint64_t payload_bytes = 0;
  uint64_t checksum = 0;
};
static_assert(sizeof(Header) == 56 && std::has_unique_object_representations_v<Header>);

Header header_of(std::span<const std::byte> payload, const VkPhysicalDeviceProperties& properties) {
  Header header;
  header.vendor = properties.vendorID;
  header.device = properties.deviceID;
  header.driver = properties.driverVersion;
  std::memcpy(header.uuid, properties.pipelineCacheUUID, VK_UUID_SIZE);
  header.payload_bytes = payload.size();
  header.checksum = checksum_of(payload);
  return header;
}

}  // namespace

std::vector<std::byte> seal_cache(std::span<const std::byte> payload,
                                  const VkPhysicalDeviceProperties& properties) {
  Header header = header_of(payload, properties);
  std::vector<std::byte> file(sizeof(Header) + payload.size());
  std::memcpy(file.data(), &header, sizeof(Header));
  std::copy(payload.begin(), payload.end(), file.begin() + sizeof(Header));
  return file;
}

std::optional<std::span<const std::byte>> unseal_cache(
    std::span<const std::byte> file, const VkPhysicalDeviceProperties& properties) {
  if (file.size() < sizeof(Header)) return std::nullopt;
  auto payload = file.subspan(sizeof(Header));
  Header expected = header_of(payload, properties);
  if (std::memcmp(file.data(), &expected, sizeof(Header)) != 0) return std::nullopt;
  // Some drivers trust their own header too much: check it for them.
  VkPipelineCacheHeaderVersionOne own{};
  if (payload.size() < sizeof(own)) return std::nullopt;
  std::memcpy(&own, payload.data(), sizeof(own));
  bool fits = own.headerSize >= sizeof(own) && own.headerSize <= payload.size() &&
              own.headerVersion == VK_PIPELINE_CACHE_HEADER_VERSION_ONE &&
              own.vendorID == properties.vendorID && own.deviceID == properties.deviceID &&
              std::memcmp(own.pipelineCacheUUID, properties.pipelineCacheUUID, VK_UUID_SIZE) == 0;
  if (!fits) return std::nullopt;
  return payload;
}

PipelineCache::PipelineCache(const Context& context, const std::string& folder)
    : context_(context), file_(folder, fmt::format("pipelines-{}.bin", context.report().uuid)) {
  std::vector<std::byte> file = file_.read(kMaxBytes);
  auto payload = unseal_cache(file, context.properties());

  VkPipelineCacheCreateInfo info{};
  info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  if (payload) {
    info.initialDataSize = payload->size();
    info.pInitialData = payload->data();
    loaded_bytes_ = payload->size();
  }
  // Without a cache pipelines are compiled as well, only slower.
  if (context.vk().vkCreatePipelineCache(context.device(), &info, nullptr, &cache_) != VK_SUCCESS)
    cache_ = VK_NULL_HANDLE;
}

PipelineCache::~PipelineCache() {
  save();
  if (cache_) context_.vk().vkDestroyPipelineCache(context_.device(), cache_, nullptr);
}

void PipelineCache::save() {
  if (!cache_ || file_.path().empty()) return;
  const Vulkan& vk = context_.vk();
  size_t size = 0;
  if (vk.vkGetPipelineCacheData(context_.device(), cache_, &size, nullptr) != VK_SUCCESS) return;
  if (size == loaded_bytes_ || size > kMaxBytes) return;
  std::vector<std::byte> payload(size);
  if (vk.vkGetPipelineCacheData(context_.device(), cache_, &size, payload.data()) != VK_SUCCESS)
    return;
  payload.resize(size);
  file_.write(seal_cache(payload, context_.properties()));
  loaded_bytes_ = size;
}

}  // namespace vultus::gpu
