#include "gpu/conv_timings.hpp"

#include <fmt/format.h>

#include <cstring>

#include "gpu/device.hpp"
#include "gpu/spirv.hpp"

namespace vultus::gpu {

namespace {

struct Entry {
  ConvKey key;
  uint32_t family, pixels, tile, split;
};
static_assert(std::has_unique_object_representations_v<Entry>);

constexpr size_t kMostBytes = kMostKeptEntries * sizeof(Entry) + 4096;

/// Other kernels have other times.
uint64_t kernels_checksum() {
  uint64_t sum = 0;
  for (std::string_view name : kernel_names())
    if (name.starts_with("conv")) sum = sum * 31 + checksum_of(std::as_bytes(find_spirv(name)));
  return sum;
}

}  // namespace

std::string timings_key(const DeviceReport& r) {
  return fmt::format("convolutions 1|{}|{}|{}|{}|{}|{}|{:016x}", r.uuid, r.name, r.driver, r.api,
                     name_of(r.cooperative.kind), VULTUS_VERSION, kernels_checksum());
}

std::vector<std::byte> seal_timings(const std::string& key, const ConvTactics& tactics) {
  std::vector<Entry> entries;
  for (const auto& [problem, t] : tactics)
    if (entries.size() < kMostKeptEntries)
      entries.push_back({problem, static_cast<uint32_t>(t.family), t.pixels, t.tile, t.split});
  return seal(key, std::as_bytes(std::span(entries)));
}

ConvTactics unseal_timings(const std::string& key, std::span<const std::byte> file) {
  auto payload = unseal(key, file);
  if (!payload || payload->size() % sizeof(Entry) != 0) return {};
  std::vector<Entry> entries(payload->size() / sizeof(Entry));
  if (!entries.empty()) std::memcpy(entries.data(), payload->data(), payload->size());
  ConvTactics tactics;
  for (const Entry& e : entries)
    if (e.family <= static_cast<uint32_t>(ConvFamily::stem))
      tactics[e.key] = {static_cast<ConvFamily>(e.family), e.pixels, e.tile, e.split};
  return tactics;
}

// The key is made when it is needed: it takes a checksum over all kernels.
ConvTimings::ConvTimings(const std::string& folder, const DeviceReport& report)
    : KeptMap(
          CacheFile(folder, fmt::format("convolutions-{}.bin", report.uuid)), kMostBytes,
          [&](const ConvTactics& t) { return seal_timings(timings_key(report), t); },
          [&](std::span<const std::byte> file) {
            return unseal_timings(timings_key(report), file);
          }) {}

}  // namespace vultus::gpu
