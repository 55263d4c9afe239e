// Checkpoints before PyTorch 1.6: five pickles (magic number, version, system, the object, the keys
// of the storages), then each storage as a 64-bit count of elements and the elements.
#include <fmt/format.h>

#include <cstring>

#include "host/torch/checkpoint.hpp"

namespace vultus::torch {

namespace {

using Kind = Object::Kind;

/// LONG1 of ten bytes, 0x1950a86a20f9469cfc6c, then STOP; after the protocol's two bytes.
constexpr std::string_view kMagic("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 13);
constexpr int64_t kVersion = 1001;

Error bad(std::string what) {
  return {Errc::bad_model, std::move(what)};
}

class LegacyRecords : public Records {
 public:
  std::optional<uint64_t> size(std::string_view key) const override {
    auto at = ranges_.find(key);
    return at == ranges_.end() ? std::nullopt : std::optional<uint64_t>(at->second.size());
  }
  Result<std::vector<std::byte>> read(const std::string& key) const override {
    std::span<const std::byte> range = ranges_.at(key);
    return std::vector<std::byte>(range.begin(), range.end());
  }
  bool add(std::string_view key, std::span<const std::byte> range) {
    return ranges_.emplace(key, range).second;
  }

 private:
  std::map<std::string, std::span<const std::byte>, std::less<>> ranges_;
};

/// Element types of the storages that the description mentions.
Result<std::map<std::string_view, ElementType>> types_of(const Pickle& pickle) {
  std::map<std::string_view, ElementType> types;
  for (const Object& object : pickle.objects) {
    if (object.kind != Kind::storage) continue;
    const Object& type = pickle[object.items[1]];
    const Object& key = pickle[object.items[2]];
    auto element = type.kind == Kind::global ? element_type_of_storage(type.text) : std::nullopt;
    if (!element || key.kind != Kind::text)
      return bad("has a storage that is described wrongly; get the file again");
    if (types.emplace(key.text, *element).first->second != *element)
      return bad(fmt::format("gives storage '{}' two types", printable(key.text)));
  }
  return types;
}

Result<std::unique_ptr<LegacyRecords>> read_records(
    std::span<const std::byte> bytes, const Pickle& keys,
    const std::map<std::string_view, ElementType>& types) {
  auto records = std::make_unique<LegacyRecords>();
  const Object& list = keys[keys.root];
  if (list.kind != Kind::sequence) return bad("has no list of storages; get the file again");
  size_t at = 0;
  for (Ref ref : list.items) {
    const Object& key = keys[ref];
    auto type = key.kind == Kind::text ? types.find(key.text) : types.end();
    if (type == types.end()) return bad("lists a storage that no tensor uses; get the file again");
    int64_t count = 0, size = 0;
    if (bytes.size() - at < sizeof(count))
      return bad(fmt::format("ends before storage '{}': it is truncated, get the file again",
                             printable(key.text)));
    std::memcpy(&count, bytes.data() + at, sizeof(count));
    at += sizeof(count);
    if (count < 0 || __builtin_mul_overflow(count, size_of(type->second), &size) ||
        static_cast<uint64_t>(size) > bytes.size() - at)
      return bad(
          fmt::format("storage '{}' should have {} elements, but the file ends after {} "
                      "bytes: it is truncated or damaged, get it again",
                      printable(key.text), count, bytes.size() - at));
    if (!records->add(key.text, bytes.subspan(at, static_cast<size_t>(size))))
      return bad(fmt::format("lists storage '{}' twice", printable(key.text)));
    at += static_cast<size_t>(size);
  }
  return records;
}

bool is_little_endian(const Pickle& system) {
  const Object& dict = system[system.root];
  if (dict.kind != Kind::dict) return false;
  for (size_t i = 0; i + 1 < dict.items.size(); i += 2)
    if (system[dict.items[i]].text == "little_endian")
      return system[dict.items[i + 1]].integer == 1;
  return false;
}

}  // namespace

bool is_legacy(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 + kMagic.size() && bytes[0] == std::byte{0x80} &&
         std::memcmp(bytes.data() + 2, kMagic.data(), kMagic.size()) == 0;
}

Result<Parts> open_legacy(std::span<const std::byte> bytes) {
  size_t at = 2 + kMagic.size();
  auto next = [&]() -> Result<Pickle> {
    VULTUS_TRY(Pickle pickle, read_pickle(bytes.subspan(at)));
    at += pickle.bytes;
    return pickle;
  };
  VULTUS_TRY(Pickle version, next());
  if (version[version.root].kind != Kind::integer || version[version.root].integer != kVersion)
    return bad(fmt::format("has an unknown version of the format; {} is known", kVersion));
  VULTUS_TRY(Pickle system, next());
  if (!is_little_endian(system))
    return bad("was written on a big-endian machine, or is damaged; save it again on another");
  VULTUS_TRY(Pickle object, next());
  VULTUS_TRY(auto types, types_of(object));
  VULTUS_TRY(Pickle keys, next());
  VULTUS_TRY(auto records, read_records(bytes.subspan(at), keys, types));
  return Parts{std::move(object), std::move(records)};
}

}  // namespace vultus::torch
