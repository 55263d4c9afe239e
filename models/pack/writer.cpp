#include "models/pack/writer.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <set>

#include "models/file/file.hpp"
#include "models/pack/manifest.hpp"
#include "models/pack/sha256.hpp"

namespace vultus {

namespace fs = std::filesystem;

namespace {

/// A folder that goes again, with those made around it, unless something stays in it.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& folder) {
    std::error_code error;
    for (fs::path part = fs::absolute(folder).lexically_normal();
         !part.empty() && !fs::exists(part, error) && part != part.root_path();
         part = part.parent_path())
      made_.push_back(part);
    fs::create_directories(folder, error_);
  }
  ~NewFolder() {
    std::error_code full;
    for (const fs::path& folder : made_)
      fs::remove(folder, full);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  const std::error_code& error() const { return error_; }

 private:
  std::vector<fs::path> made_;  ///< innermost first
  std::error_code error_;
};

Result<PartialFile> stage(const fs::path& path, std::string_view bytes) {
  VULTUS_TRY(PartialFile file, PartialFile::create(path.string()));
  if (!write_all(file.descriptor(), bytes.data(), bytes.size()))
    return unwritable(path.string(), errno);
  return file;
}

std::string pack_name(const PackTarget& target) {
  if (!target.name.empty()) return target.name;
  std::error_code error;
  std::string name = fs::weakly_canonical(target.folder, error).filename().string();
  return name.empty() ? "pack" : name;
}

/// The manifest to add to. What a pack states for all its networks is then said of each.
Result<Manifest> manifest_to_extend(const PackTarget& target) {
  const std::string path = manifest_of(target.folder);
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error)))
    return Manifest{{"schema", kPackSchema},
                    {"name", pack_name(target)},
                    {"version", "1"},
                    {"licence", ""},
                    {"networks", Manifest::object()}};
  VULTUS_TRY(Pack pack, read_pack(target.folder));
  VULTUS_TRY(Manifest manifest, read_manifest(path));
  for (auto& [role, network] : manifest["networks"].items())
    if (!network.contains("licence")) network["licence"] = pack.licence;
  return manifest;
}

Result<void> check_roles(const PackTarget& target, const Manifest& manifest,
                         const std::vector<const NewNetwork*>& networks) {
  std::set<std::string_view> roles;
  for (const NewNetwork* network : networks) {
    const std::string role(network->kind->role);
    if (!roles.insert(network->kind->role).second)
      return Error{Errc::usage, fmt::format("{}: a second {} network; a pack has one of each role",
                                            network->source, role)};
    if (manifest["networks"].contains(role) && !target.force)
      return Error{Errc::unwritable, fmt::format("{} has a {} network already; use --force to "
                                                 "replace it",
                                                 manifest_of(target.folder), role)};
  }
  return {};
}

/// The licence of the pack as a whole.
std::string licence_of(const Manifest& networks) {
  std::set<std::string> licences;
  std::string each;
  for (const auto& [role, network] : networks.items()) {
    licences.insert(network["licence"].get<std::string>());
    each += fmt::format("{}{}: {}", each.empty() ? "" : "; ", role,
                        network["licence"].get<std::string>());
  }
  return licences.size() == 1 ? *licences.begin() : each;
}

/// Named by its contents, so that no file of the pack as it was is written over.
Result<PartialFile> stage_network(const fs::path& folder, const NewNetwork& network,
                                  Manifest& entry) {
  VULTUS_TRY(std::string sum, sha256_of(network.onnx));
  const std::string file = fmt::format("{}-{}.onnx", network.kind->name, sum.substr(0, 8));
  VULTUS_TRY(PartialFile staged, stage(folder / file, network.onnx));
  VULTUS_CHECK(check_network(staged.partial_path(), *network.kind));
  entry = Manifest{
      {"file", file},
      {"sha256", sum},
      {"kind", network.kind->name},
      {"licence", network.licence.empty() ? std::string(network.kind->licence) : network.licence},
      {"source", {{"file", network.source}, {"sha256", network.source_sha256}}}};
  if (network.kind->role == "multitask") entry["emotions"] = usual_emotions();
  return staged;
}

std::set<std::string> files_of(const Manifest& manifest) {
  std::set<std::string> files;
  for (const auto& [role, network] : manifest["networks"].items())
    files.insert(network["file"].get<std::string>());
  return files;
}

}  // namespace

Result<Pack> add_to_pack(const PackTarget& target, const std::vector<const NewNetwork*>& networks) {
  const fs::path folder = target.folder;
  VULTUS_TRY(Manifest manifest, manifest_to_extend(target));
  VULTUS_CHECK(check_roles(target, manifest, networks));
  const std::set<std::string> before = files_of(manifest);
  const NewFolder made(folder);
  if (made.error()) return unwritable(folder.string(), made.error().value());

  std::vector<PartialFile> staged;
  for (const NewNetwork* network : networks) {
    Manifest& entry = manifest["networks"][std::string(network->kind->role)];
    VULTUS_TRY(PartialFile file, stage_network(folder, *network, entry));
    staged.push_back(std::move(file));
  }
  manifest["licence"] = licence_of(manifest["networks"]);
  const std::string text = manifest.dump(2, ' ', false, Manifest::error_handler_t::replace) + "\n";
  VULTUS_TRY(PartialFile index, stage(manifest_of(target.folder), text));
  for (PartialFile& file : staged)
    VULTUS_CHECK(file.commit());
  VULTUS_CHECK(index.commit());

  const std::set<std::string> after = files_of(manifest);
  std::error_code ignored;
  for (const std::string& file : before)
    if (!after.contains(file)) fs::remove(folder / file, ignored);
  return read_pack(target.folder);
}

}  // namespace vultus
