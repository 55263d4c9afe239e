#include "models/pack/kinds.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "host/onnx/census.hpp"
#include "host/run/device.hpp"
#include "models/pack/pack.hpp"

namespace vultus {

namespace {

constexpr std::string_view kUnknownLicence = "not stated; give --licence TEXT once you know it";

constexpr std::array kKinds{
    PackKind{"retinaface", "detector",
             "not stated; RetinaFace and the weights its authors published "
             "(biubug6/Pytorch_Retinaface) are MIT, and were trained on WIDER FACE"},
    PackKind{"ultra_light", "detector", kUnknownLicence},
    PackKind{"pfld98", "landmarks", kUnknownLicence},
    PackKind{"star98", "landmarks",
             "not stated; the published STAR has no licence, which grants nothing: ask its authors "
             "before using or passing on these weights"},
    PackKind{"ibug68", "landmarks", kUnknownLicence},
    PackKind{"mtl", "multitask",
             "not stated; OpenFace 3.0, whose network this is, allows academic or non-profit, "
             "non-commercial research only, and no passing on"},
};

/// Sizes of the one input, "?" or a name where open; empty unless there is exactly one.
std::vector<std::string> input_sizes(const ModelCensus& census) {
  if (census.inputs.size() != 1 || census.inputs[0].dims.size() != 4) return {};
  return {census.inputs[0].dims.begin() + 1, census.inputs[0].dims.end()};
}

bool gives(const ModelCensus& census, std::initializer_list<std::string_view> names) {
  return std::ranges::all_of(names, [&](std::string_view name) {
    return std::ranges::find(census.outputs, name) != census.outputs.end();
  });
}

std::string_view kind_of(const ModelCensus& census) {
  const std::vector<std::string> sizes = input_sizes(census);
  auto takes = [&](const char* channels, const char* size) {
    return sizes == std::vector<std::string>{channels, size, size};
  };
  if (gives(census, {"loc", "conf", "landms"})) return "retinaface";
  if (gives(census, {"scores", "boxes"})) return "ultra_light";
  if (takes("3", "112")) return "pfld98";
  if (takes("3", "256")) return "star98";
  if (takes("1", "64")) return "ibug68";
  if (takes("3", "224") && census.outputs.size() == 3) return "mtl";
  return "";
}

/// Detection runs at the picture's own size.
Result<void> check_any_size(const std::string& path) {
  VULTUS_TRY(ModelCensus census, read_census(path));
  const std::vector<std::string> sizes = input_sizes(census);
  auto fixed = [](const std::string& size) {
    return std::ranges::all_of(size, [](unsigned char c) { return std::isdigit(c) != 0; });
  };
  if (sizes.size() != 3 || !fixed(sizes[1]) || !fixed(sizes[2])) return {};
  return Error{Errc::bad_model,
               fmt::format("{}: takes pictures of {}x{} only, and Vultus looks at each in its own "
                           "size; convert its checkpoint, or export it with free height and width",
                           path, sizes[2], sizes[1])};
}

}  // namespace

std::span<const PackKind> pack_kinds() {
  return kKinds;
}

const PackKind* find_pack_kind(std::string_view name) {
  auto at = std::ranges::find(kKinds, name, &PackKind::name);
  return at == kKinds.end() ? nullptr : &*at;
}

std::string pack_kind_names() {
  std::vector<std::string_view> names;
  for (const PackKind& kind : kKinds)
    names.push_back(kind.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<const PackKind*> recognise_onnx(const std::string& path) {
  VULTUS_TRY(ModelCensus census, read_census(path));
  if (const PackKind* kind = find_pack_kind(kind_of(census))) return kind;
  return Error{Errc::bad_model,
               fmt::format("{}: its inputs and outputs are those of no kind of network that packs "
                           "hold; if it is one, say which with --kind: {}",
                           path, pack_kind_names())};
}

Result<void> check_network(const std::string& path, const PackKind& kind) {
  VULTUS_TRY(auto cpu, open_cpu(1));  // there is hardly anything to compute
  const SessionOptions options{.devices = {cpu.get()}, .precision = Precision::fp32, .shapes = {}};
  Pack pack;
  PackNetwork& network = pack.networks[std::string(kind.role)];
  network.role = kind.role;
  network.kind = kind.name;
  network.path = path;
  if (kind.name == "retinaface") VULTUS_CHECK(check_any_size(path));
  if (kind.role == "detector") {
    VULTUS_CHECK(open_detector(pack, options));
    return {};
  }
  if (kind.role == "landmarks") {
    VULTUS_CHECK(open_landmarker(pack, options));
    return {};
  }
  VULTUS_CHECK(open_multitask(pack, options));
  return {};
}

}  // namespace vultus
