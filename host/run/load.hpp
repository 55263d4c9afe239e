#pragma once

#include <string>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/onnx/import.hpp"

namespace vultus {

/// A network after import and passes, and what each took.
struct LoadedGraph {
  Graph graph;
  PassReport passes;
  double import_ms = 0, passes_ms = 0;
};

/// What `Session::load` compiles, for those who need only the graph. `batch` as for `import_onnx`,
/// `fuse` as for `optimise`.
Result<LoadedGraph> load_graph(const std::string& path, const ShapeBindings& shapes,
                               int64_t batch = 0, bool fuse = true);

}  // namespace vultus
