#include "models/pack/manifest.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace vultus {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kMaxManifestBytes = 1 << 20;

}  // namespace

std::string manifest_of(const std::string& folder) {
  return (fs::path(folder) / "pack.json").string();
}

Error refuse_pack(const std::string& where, std::string_view what) {
  return {Errc::bad_model, fmt::format("{}: {}", where, what)};
}

Result<Manifest> read_manifest(const std::string& path) {
  std::error_code error;
  std::uintmax_t size = fs::file_size(path, error);
  if (error)
    return refuse_pack(path, fmt::format("{}; a model pack is a folder with pack.json and the "
                                         "networks it names",
                                         error.message()));
  if (size > kMaxManifestBytes) return refuse_pack(path, "larger than 1 MiB: not a pack manifest");
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  Manifest manifest = Manifest::parse(text.str(), nullptr, false);
  if (!file || manifest.is_discarded() || !manifest.is_object())
    return refuse_pack(path, "not a JSON object");
  auto schema = manifest.find("schema");
  if (schema == manifest.end() || !schema->is_number_integer() || *schema != kPackSchema)
    return refuse_pack(path, fmt::format("\"schema\" must be {}", kPackSchema));
  return manifest;
}

}  // namespace vultus
