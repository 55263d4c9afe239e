#include "models/convert/convert.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/common.hpp"
#include "host/onnx/self_contained.hpp"
#include "models/file/file.hpp"
#include "models/pack/sha256.hpp"
#include "models/pack/writer.hpp"

namespace vultus::app {

namespace {

namespace fs = std::filesystem;

struct ConvertOptions {
  std::vector<std::string> files;
  PackTarget target;
  std::string kind, licence;
  std::vector<std::string> ignored;
  bool json = false;
};

/// One file, and what is said of it.
struct Source {
  std::string path, title;
  std::vector<std::string> notes;
  NewNetwork network;
};

bool is_onnx(const std::string& path) {
  std::string extension = fs::path(path).extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".onnx";
}

Result<Source> read_onnx(const std::string& path, const ConvertOptions& options) {
  Source source{.path = path, .title = {}, .notes = {}, .network = {}};
  VULTUS_CHECK(open_regular(path));
  if (options.kind.empty()) {
    VULTUS_TRY(source.network.kind, recognise_onnx(path));
  } else {
    source.network.kind = find_pack_kind(options.kind);
  }
  VULTUS_CHECK(check_network(path, *source.network.kind));
  source.title = fmt::format("{} network, as it is", source.network.kind->name);
  VULTUS_TRY(SelfContained file, read_self_contained(path));
  source.network.onnx = std::move(file.bytes);
  if (file.brought_in > 0)
    source.notes.push_back(
        fmt::format("{} weights that lay in files beside it are put inside", file.brought_in));
  return source;
}

Result<Source> read_checkpoint(const std::string& path, const ConvertOptions& options) {
  Source source{.path = path, .title = {}, .notes = {}, .network = {}};
  VULTUS_TRY(convert::Converted converted, convert::convert_checkpoint(path, options.ignored));
  if (!options.kind.empty() && options.kind != converted.kind)
    return Error{Errc::bad_model, fmt::format("{}: is {}, not {}; leave --kind out", path,
                                              converted.kind, options.kind)};
  source.network.kind = find_pack_kind(converted.kind);
  source.network.onnx = std::move(converted.onnx);
  source.notes = std::move(converted.notes);
  source.title = fmt::format("{}, {} tensors, {:.3f} million parameters", converted.title,
                             converted.tensors, static_cast<double>(converted.parameters) * 1e-6);
  return source;
}

Result<Source> read_source(const std::string& path, const ConvertOptions& options) {
  VULTUS_TRY(Source source,
             is_onnx(path) ? read_onnx(path, options) : read_checkpoint(path, options));
  source.network.licence = options.licence;
  source.network.source = fs::path(path).filename().string();
  VULTUS_TRY(source.network.source_sha256, sha256_of_file(path));
  return source;
}

void print_source(const Source& source, const PackNetwork& network) {
  fmt::print("{}: {}\n  {:<10}{}\n  {:<10}{}\n", source.path, source.title, network.role,
             network.path, "licence", network.licence);
  for (const std::string& note : source.notes)
    fmt::print("  {:<10}{}\n", "note", note);
}

void print_pack(const Pack& pack) {
  std::string missing;
  for (const char* role : {"detector", "landmarks"})
    if (!pack.networks.contains(role))
      missing += fmt::format("{}{}", missing.empty() ? "" : " and ", role);
  if (missing.empty())
    fmt::print("pack {}: ready for vultus process --pack {}\n", pack.name, shell_word(pack.folder));
  else
    fmt::print("pack {}: vultus process needs {} as well; add to it with the same -o\n", pack.name,
               missing);
}

Json as_json(const Pack& pack, const std::vector<Source>& sources) {
  Json networks = Json::array();
  for (const Source& source : sources) {
    const PackNetwork& network = pack.networks.at(std::string(source.network.kind->role));
    networks.push_back({{"source", source.path},
                        {"source_sha256", source.network.source_sha256},
                        {"role", network.role},
                        {"kind", network.kind},
                        {"file", network.path},
                        {"sha256", network.sha256},
                        {"licence", network.licence},
                        {"notes", source.notes}});
  }
  return {{"schema", 1}, {"pack", pack.folder}, {"name", pack.name}, {"networks", networks}};
}

Result<void> convert_all(const ConvertOptions& options) {
  std::vector<Source> sources;
  std::vector<const NewNetwork*> networks;
  for (const std::string& path : options.files) {
    VULTUS_TRY(Source source, read_source(path, options));
    sources.push_back(std::move(source));
  }
  for (const Source& source : sources)
    networks.push_back(&source.network);
  VULTUS_TRY(Pack pack, add_to_pack(options.target, networks));
  if (options.json) {
    print_json(as_json(pack, sources));
    return {};
  }
  for (const Source& source : sources)
    print_source(source, pack.networks.at(std::string(source.network.kind->role)));
  print_pack(pack);
  return {};
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const PackKind& kind : pack_kinds())
    names.emplace_back(kind.name);
  return names;
}

}  // namespace

void add_convert(CLI::App& app, int& status) {
  auto options = std::make_shared<ConvertOptions>();
  auto* command = app.add_subcommand(
      "convert", "PyTorch checkpoints or ONNX files into a model pack; no code in them is run");
  command
      ->add_option("file", options->files,
                   "checkpoints (.pth, .pkl, ...) of RetinaFace, STAR or MTL; ONNX files (.onnx) "
                   "of any kind")
      ->required();
  command->add_option("-o,--output", options->target.folder, "the pack: a folder, made or added to")
      ->required();
  command->add_option("--licence,--license", options->licence,
                      "licence of these networks, as the pack is to state it; for networks under "
                      "another one, call again with the same -o");
  command->add_option("--name", options->target.name, "name of a new pack (default: the folder's)");
  command->add_option("--kind", options->kind, "what an ONNX file is, where it does not show")
      ->check(CLI::IsMember(kind_names()));
  command
      ->add_option("--ignore", options->ignored,
                   "tensors that may be left over: beginnings of their names")
      ->allow_extra_args(false);
  command->add_flag("--force", options->target.force, "replace networks of the same role");
  command->add_flag("--json", options->json, "one JSON document on stdout");
  command->footer(
      "Vultus ships no weights: you need the right to use those you convert, and the pack keeps\n"
      "their licence as you state it. The source's name and SHA-256 are kept as well.\n"
      "Examples:\n"
      "  vultus convert mobilenet0.25_Final.pth -o mypack --licence MIT\n"
      "  vultus convert landmarks.onnx --kind pfld98 -o mypack --licence Apache-2.0\n"
      "  vultus process clips/ -o results --pack mypack");
  command->callback([options, &status] {
    auto done = convert_all(*options);
    status = done ? kComplete : report(done.error());
  });
}

}  // namespace vultus::app
