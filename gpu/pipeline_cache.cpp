#include "gpu/pipeline_cache.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

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

/// FNV-1a, 64 bits (Fowler, Noll, Vo): guards against accidents, not against enemies.
uint64_t checksum_of(std::span<const std::byte> bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (std::byte b : bytes)
    hash = (hash ^ static_cast<uint8_t>(b)) * 0x100000001b3u;
  return hash;
}

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

std::string default_folder() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && xdg[0] == '/')
    return std::string(xdg) + "/vultus";
  if (const char* home = std::getenv("HOME"); home && home[0] == '/')
    return std::string(home) + "/.cache/vultus";
  return {};
}

/// Ours, and nobody else may write: pipeline data is code that the driver will run.
bool trusted(const struct stat& status) {
  return status.st_uid == geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// The folder, made with mode 0700 if absent; false when it is unusable or not private.
bool private_folder(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), ignored);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return false;
  struct stat status {};
  return stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && trusted(status);
}

bool write_all(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
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
    : context_(context) {
  std::string chosen = folder.empty() ? default_folder() : folder;
  if (!chosen.empty() && chosen != "-" && private_folder(chosen))
    path_ = fmt::format("{}/pipelines-{}.bin", chosen, context.report().uuid);
  std::vector<std::byte> file = read_file();
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

std::vector<std::byte> PipelineCache::read_file() const {
  if (path_.empty()) return {};
  int file = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (file < 0) return {};
  struct stat status {};
  std::vector<std::byte> bytes;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && trusted(status) &&
      static_cast<size_t>(status.st_size) <= kMaxBytes) {
    bytes.resize(static_cast<size_t>(status.st_size));
    size_t done = 0;
    while (done < bytes.size()) {
      ssize_t got = read(file, bytes.data() + done, bytes.size() - done);
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    bytes.resize(done);
  }
  ::close(file);
  return bytes;
}

void PipelineCache::save() {
  if (!cache_ || path_.empty()) return;
  const Vulkan& vk = context_.vk();
  size_t size = 0;
  if (vk.vkGetPipelineCacheData(context_.device(), cache_, &size, nullptr) != VK_SUCCESS) return;
  if (size == loaded_bytes_ || size > kMaxBytes) return;
  std::vector<std::byte> payload(size);
  if (vk.vkGetPipelineCacheData(context_.device(), cache_, &size, payload.data()) != VK_SUCCESS)
    return;
  payload.resize(size);
  std::vector<std::byte> bytes = seal_cache(payload, context_.properties());
  std::string temporary = path_ + ".XXXXXX";
  int file = mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) return;
  bool written = write_all(file, bytes);
  written = ::close(file) == 0 && written;
  if (!written || std::rename(temporary.c_str(), path_.c_str()) != 0) unlink(temporary.c_str());
  loaded_bytes_ = size;
}

}  // namespace vultus::gpu
