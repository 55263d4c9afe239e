#include "models/pack/pack.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "models/face/retinaface.hpp"
#include "models/face/ultra_light.hpp"
#include "models/pack/manifest.hpp"
#include "models/pack/sha256.hpp"

namespace vultus {

namespace fs = std::filesystem;
using json = Manifest;

namespace {

/// A text field; empty when it is absent and may be.
Result<std::string> text_of(const json& object, const char* key, bool needed,
                            const std::string& where) {
  auto at = object.find(key);
  if (at == object.end() && !needed) return std::string();
  if (at == object.end() || !at->is_string())
    return refuse_pack(where, fmt::format("\"{}\" must be a text", key));
  return at->get<std::string>();
}

Result<std::optional<double>> fraction_of(const json& object, const char* key,
                                          const std::string& where) {
  auto at = object.find(key);
  if (at == object.end()) return std::optional<double>();
  double value = at->is_number() ? at->get<double>() : -1;
  if (!(value > 0 && value < 1))
    return refuse_pack(where, fmt::format("\"{}\" must be a number between 0 and 1", key));
  return std::optional<double>(value);
}

/// Names that can stand in a table's header: eight different ones of small letters.
Result<std::vector<std::string>> emotions_of(const json& object, const std::string& where) {
  auto at = object.find("emotions");
  if (at == object.end()) return usual_emotions();
  std::set<std::string> names;
  std::vector<std::string> ordered;
  for (const json& entry : *at) {
    std::string name = entry.is_string() ? entry.get<std::string>() : "";
    const bool fits = !name.empty() && name.size() <= 32 &&
                      std::ranges::all_of(name, [](char c) { return c >= 'a' && c <= 'z'; });
    if (fits && names.insert(name).second) ordered.push_back(std::move(name));
  }
  if (!at->is_array() || at->size() != ordered.size() ||
      ordered.size() != face::Expression::kEmotions)
    return refuse_pack(where,
                       fmt::format("\"emotions\" must be {} different names in small letters",
                                   face::Expression::kEmotions));
  return ordered;
}

/// The file behind a manifest's name, which must lie in the folder whatever links say.
Result<std::string> inside(const fs::path& folder, const std::string& name,
                           const std::string& where) {
  fs::path relative(name);
  bool climbs = std::any_of(relative.begin(), relative.end(),
                            [](const fs::path& part) { return part == ".."; });
  if (name.empty() || relative.is_absolute() || climbs)
    return refuse_pack(where,
                       fmt::format("file \"{}\" must be a name inside the pack's folder", name));
  std::error_code error;
  fs::path file = fs::canonical(folder / relative, error);
  if (error)
    return refuse_pack(where, fmt::format("file \"{}\" of the pack: {}", name, error.message()));
  fs::path root = fs::canonical(folder, error);
  auto [end, unused] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (error || end != root.end())
    return refuse_pack(
        where, fmt::format("file \"{}\" is a link that leads out of the pack's folder", name));
  if (!fs::is_regular_file(file, error))
    return refuse_pack(where, fmt::format("file \"{}\" is not a regular file", name));
  return file.string();
}

Result<PackNetwork> read_network(const fs::path& folder, const std::string& role,
                                 const json& object, const std::string& manifest) {
  const std::string where = fmt::format("{}: network \"{}\"", manifest, role);
  if (!object.is_object()) return refuse_pack(where, "must be an object");
  PackNetwork network;
  network.role = role;
  VULTUS_TRY(std::string file, text_of(object, "file", true, where));
  VULTUS_TRY(network.sha256, text_of(object, "sha256", true, where));
  VULTUS_TRY(network.kind, text_of(object, "kind", true, where));
  VULTUS_TRY(network.licence, text_of(object, "licence", false, where));
  VULTUS_TRY(network.score_threshold, fraction_of(object, "threshold", where));
  VULTUS_TRY(network.nms_threshold, fraction_of(object, "nms", where));
  VULTUS_TRY(std::string channels, text_of(object, "channels", false, where));
  if (!channels.empty() && channels != "rgb" && channels != "bgr")
    return refuse_pack(where, "\"channels\" must be \"rgb\" or \"bgr\"");
  network.rgb = channels != "bgr";
  if (role == "multitask") {
    VULTUS_TRY(network.emotions, emotions_of(object, where));
  }
  VULTUS_TRY(network.path, inside(folder, file, where));
  VULTUS_TRY(std::string sum, sha256_of_file(network.path));
  std::transform(network.sha256.begin(), network.sha256.end(), network.sha256.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  if (sum != network.sha256)
    return refuse_pack(where, fmt::format("{} has SHA-256 {}, the manifest says {}; fetch the file "
                                          "again or correct the manifest",
                                          file, sum, network.sha256));
  return network;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Result<const PackNetwork*> network_of(const Pack& pack, const std::string& role) {
  auto at = pack.networks.find(role);
  if (at == pack.networks.end())
    return Error{Errc::bad_model,
                 fmt::format("model pack {}: no \"{}\" network; add one with vultus convert",
                             pack.folder, role)};
  return &at->second;
}

Error unknown_kind(const PackNetwork& network, std::string_view known) {
  return {Errc::bad_model, fmt::format("{}: kind \"{}\" of the {} network is not known; known: {}",
                                       network.path, network.kind, network.role, known)};
}

}  // namespace

std::vector<std::string> usual_emotions() {
  return {"neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"};
}

Result<Pack> read_pack(const std::string& folder) {
  const std::string manifest = manifest_of(folder);
  VULTUS_TRY(json object, read_manifest(manifest));
  Pack pack;
  pack.folder = folder;
  VULTUS_TRY(pack.name, text_of(object, "name", true, manifest));
  VULTUS_TRY(pack.version, text_of(object, "version", true, manifest));
  VULTUS_TRY(pack.licence, text_of(object, "licence", true, manifest));
  VULTUS_TRY(pack.notes, text_of(object, "notes", false, manifest));
  auto networks = object.find("networks");
  if (networks == object.end() || !networks->is_object())
    return refuse_pack(manifest, "\"networks\" must be an object");
  for (const auto& [role, description] : networks->items()) {
    VULTUS_TRY(PackNetwork network, read_network(folder, role, description, manifest));
    pack.networks.emplace(role, std::move(network));
  }
  return pack;
}

Result<Pack> load_pack(const std::string& folder) {
  VULTUS_TRY(Pack pack, read_pack(folder));
  VULTUS_CHECK(network_of(pack, "detector"));
  VULTUS_CHECK(network_of(pack, "landmarks"));
  return pack;
}

std::vector<std::string> pack_search_path(const std::string& chosen) {
  if (const fs::path path(chosen); path.filename() == "pack.json")
    return {path.has_parent_path() ? path.parent_path().string() : "."};
  if (!chosen.empty()) return {chosen};
  if (std::string set = environment("VULTUS_PACK"); !set.empty()) return {set};
  std::vector<std::string> paths{"./packs/default"};
  fs::path data = environment("XDG_DATA_HOME");
  if (std::string home = environment("HOME"); data.empty() && !home.empty())
    data = fs::path(home) / ".local/share";
  if (!data.empty()) paths.push_back((data / "vultus/models/default").string());
  paths.push_back("/usr/share/vultus/models/default");
  return paths;
}

Result<std::string> find_pack(const std::string& chosen) {
  std::vector<std::string> paths = pack_search_path(chosen);
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_regular_file(fs::path(path) / "pack.json", error)) return path;
  }
  return Error{
      Errc::bad_model,
      fmt::format("no model pack: there is no folder with a pack.json at {}; name one with "
                  "--pack, or make one with vultus convert",
                  fmt::join(paths, ", "))};
}

Result<std::unique_ptr<face::Detector>> open_detector(const Pack& pack,
                                                      const SessionOptions& session,
                                                      std::shared_ptr<face::Picture> picture) {
  VULTUS_TRY(const PackNetwork* network, network_of(pack, "detector"));
  if (network->kind == "retinaface") {
    face::RetinaFaceOptions options;
    options.score_threshold = network->score_threshold.value_or(options.score_threshold);
    options.nms_threshold = network->nms_threshold.value_or(options.nms_threshold);
    VULTUS_TRY(auto detector,
               face::RetinaFace::open(network->path, session, options, std::move(picture)));
    return std::unique_ptr<face::Detector>(std::move(detector));
  }
  if (network->kind == "ultra_light") {
    face::UltraLightOptions options;
    options.score_threshold = network->score_threshold.value_or(options.score_threshold);
    options.nms_threshold = network->nms_threshold.value_or(options.nms_threshold);
    options.rgb = network->rgb;
    VULTUS_TRY(auto detector,
               face::UltraLight::open(network->path, session, options, std::move(picture)));
    return std::unique_ptr<face::Detector>(std::move(detector));
  }
  return unknown_kind(*network, "retinaface, ultra_light");
}

Result<std::unique_ptr<face::Landmarker>> open_landmarker(const Pack& pack,
                                                          const SessionOptions& session,
                                                          std::shared_ptr<face::Picture> picture) {
  using face::LandmarkerKind;
  VULTUS_TRY(const PackNetwork* network, network_of(pack, "landmarks"));
  static const std::map<std::string, LandmarkerKind> kKinds{{"pfld98", LandmarkerKind::pfld98},
                                                            {"star98", LandmarkerKind::star98},
                                                            {"ibug68", LandmarkerKind::ibug68}};
  auto kind = kKinds.find(network->kind);
  if (kind == kKinds.end()) return unknown_kind(*network, "pfld98, star98, ibug68");
  return face::Landmarker::open(network->path, kind->second, session, std::move(picture));
}

Result<std::unique_ptr<face::Multitask>> open_multitask(const Pack& pack,
                                                        const SessionOptions& session,
                                                        std::shared_ptr<face::Picture> picture) {
  auto at = pack.networks.find("multitask");
  if (at == pack.networks.end()) return std::unique_ptr<face::Multitask>();
  if (at->second.kind != "mtl") return unknown_kind(at->second, "mtl");
  return face::Multitask::open(at->second.path, session, std::move(picture));
}

}  // namespace vultus
