#pragma once

#include <optional>
#include <string_view>

#include "host/torch/pickle.hpp"

namespace vultus::torch {

/// How many bytes an element takes in a file, and how it is read. bf16, f16: as f32; i16: as i32.
enum class ElementType : uint8_t { f32, f64, f16, bf16, i64, i32, i16, i8, u8, boolean };

/// "torch FloatStorage" -> f32.
std::optional<ElementType> element_type_of_storage(std::string_view global);

/// What calling a name makes, where that is known to be data; `dict` and `sequence` start empty.
/// Nothing for a name that is not on the list.
std::optional<Object::Kind> result_of_call(std::string_view global);
/// The name itself, for ever, when a checkpoint may hold it; else empty.
std::string_view known_global(std::string_view global);

}  // namespace vultus::torch
