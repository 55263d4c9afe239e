#pragma once

#include <span>
#include <string>
#include <string_view>

#include "host/core/result.hpp"

namespace vultus {

/// A kind of network that packs can hold.
struct PackKind {
  std::string_view name;
  std::string_view role;
  /// What is known of its licence, for packs whose maker does not state one.
  std::string_view licence;
};
std::span<const PackKind> pack_kinds();
/// Null when there is none of that name.
const PackKind* find_pack_kind(std::string_view name);
/// "retinaface, ultra_light, ..."
std::string pack_kind_names();

/// The kind of an ONNX file, by its inputs and outputs. bad_model when it cannot be told.
Result<const PackKind*> recognise_onnx(const std::string& path);
/// Opens the network on the CPU and checks what it takes and gives against its kind. bad_model.
Result<void> check_network(const std::string& path, const PackKind& kind);

}  // namespace vultus
