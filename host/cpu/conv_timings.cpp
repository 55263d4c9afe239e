#include "host/cpu/conv_timings.hpp"

#include <fmt/format.h>

namespace vultus::cpu {

namespace {

constexpr size_t kMostBytes = 4u << 20;

/// Kernels of another build have other times.
std::string key_of(const std::string& device) {
#ifdef NDEBUG
  constexpr std::string_view kBuild = "release";
#else
  constexpr std::string_view kBuild = "debug";
#endif
  return fmt::format("forms 1|{}|{}|{}|{}", VULTUS_VERSION, kBuild, __VERSION__, device);
}

}  // namespace

std::vector<std::byte> seal_forms(const std::string& device, const ConvForms& forms) {
  std::string text;
  size_t entries = 0;
  for (const auto& [key, form] : forms)
    if (entries++ < kMostKeptEntries) text += fmt::format("{} {}\n", static_cast<int>(form), key);
  return seal(key_of(device), std::as_bytes(std::span(text)));
}

ConvForms unseal_forms(const std::string& device, std::span<const std::byte> file) {
  auto payload = unseal(key_of(device), file);
  if (!payload) return {};
  std::string_view text(reinterpret_cast<const char*>(payload->data()), payload->size());
  ConvForms forms;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const int form = line.empty() ? -1 : line[0] - '0';
    if (line.size() > 2 && line[1] == ' ' && form >= 0 && form < kConvForms)
      forms.emplace(line.substr(2), static_cast<ConvForm>(form));
  }
  return forms;
}

ConvTimings::ConvTimings(const std::string& folder, const std::string& device)
    : KeptMap(
          CacheFile(folder, fmt::format("forms-{:016x}.bin",
                                        checksum_of(std::as_bytes(std::span(device))))),
          kMostBytes, [device](const ConvForms& forms) { return seal_forms(device, forms); },
          [device](std::span<const std::byte> file) { return unseal_forms(device, file); }) {}

}  // namespace vultus::cpu
