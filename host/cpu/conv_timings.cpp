#include "host/cpu/conv_timings.hpp"

#include <fmt/format.h>

namespace vultus::cpu {

namespace {

constexpr size_t kMostEntries = 8192, kMostBytes = 4u << 20;

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
    if (entries++ < kMostEntries) text += fmt::format("{} {}\n", static_cast<int>(form), key);
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
    : device_(device),
      file_(folder,
            fmt::format("forms-{:016x}.bin", checksum_of(std::as_bytes(std::span(device))))) {}

const ConvForms& ConvTimings::kept() {
  if (!kept_) kept_ = read();
  return *kept_;
}

std::optional<ConvForm> ConvTimings::find(const std::string& key) {
  std::lock_guard lock(mutex_);
  auto at = kept().find(key);
  return at == kept().end() ? std::nullopt : std::optional(at->second);
}

bool ConvTimings::empty() {
  std::lock_guard lock(mutex_);
  return kept().empty();
}

ConvForms ConvTimings::read() const {
  return unseal_forms(device_, file_.read(kMostBytes));
}

void ConvTimings::keep(const ConvForms& fresh) {
  std::lock_guard lock(mutex_);
  ConvForms merged = fresh;
  for (ConvForms older : {kept(), read()})
    if (merged.size() + older.size() <= kMostEntries) merged.merge(older);
  kept_ = std::move(merged);
  file_.write(seal_forms(device_, *kept_));
}

}  // namespace vultus::cpu
