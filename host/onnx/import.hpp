#pragma once

#include <map>
#include <span>
#include <string>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// Input shapes for symbolic dimensions: {"input", {1, 3, 480, 640}}.
using ShapeBindings = std::map<std::string, Shape>;

/// Reads an ONNX file (opset 9-22) and checks all of it: sizes, types, names, cycles, attributes.
/// External data must lie inside the model's folder. Every refusal names the node or tensor and
/// what is supported. Shapes are inferred and constants folded, so that shape arithmetic of traced
/// exports is gone; no other pass has run. `batch`, unless 0, is for axis 0 of every input; where
/// the file fixes it at 1 the graph is changed (`rebatch`), which fails where samples might mix.
Result<Graph> import_onnx(const std::string& path, const ShapeBindings& shapes = {},
                          int64_t batch = 0);
/// The same from memory; `folder` is where external data may lie (empty: none is allowed).
Result<Graph> import_onnx(std::span<const std::byte> bytes, const std::string& name,
                          const ShapeBindings& shapes, const std::string& folder);

}  // namespace vultus
