#pragma once

#include <fmt/format.h>

#include <variant>

#include "host/ops/op.hpp"

namespace vultus {

inline std::string_view type_name(const Attribute& attribute) {
  constexpr std::string_view kNames[]{
      "an integer",       "a float",         "a text",  "a list of integers",
      "a list of floats", "a list of texts", "a tensor"};
  return kNames[attribute.index()];
}

/// bad_model where the attribute is there and not a T: the accessors of Node would pass it over.
template <class T>
Result<void> expect_attribute(const Node& node, std::string_view key) {
  const auto at = node.attributes.find(key);
  if (at == node.attributes.end() || std::holds_alternative<T>(at->second)) return {};
  return fail(node, fmt::format("{} must be {}, not {}", key, type_name(Attribute(T{})),
                                type_name(at->second)));
}

}  // namespace vultus
