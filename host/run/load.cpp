#include "host/graph/passes/passes.hpp"
#include "host/onnx/import.hpp"
#include "host/run/session.hpp"

namespace vultus {

Result<Session> Session::load(const std::string& path, const SessionOptions& options) {
  VULTUS_TRY(Graph graph, import_onnx(path, options.shapes));
  VULTUS_TRY(PassReport passes, optimise(graph));
  return from_graph(std::move(graph), options, std::move(passes));
}

}  // namespace vultus
