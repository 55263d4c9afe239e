#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "host/core/result.hpp"

namespace vultus {

using Manifest = nlohmann::ordered_json;

inline constexpr int kPackSchema = 1;

/// Path of a pack's manifest.
std::string manifest_of(const std::string& folder);
/// The JSON object in a file of at most 1 MiB whose "schema" is known; nothing else is checked.
Result<Manifest> read_manifest(const std::string& path);
/// bad_model: "<where>: <what>".
Error refuse_pack(const std::string& where, std::string_view what);

}  // namespace vultus
