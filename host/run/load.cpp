#include "host/core/stopwatch.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/onnx/import.hpp"
#include "host/run/session.hpp"

namespace vultus {

Result<Session> Session::load(const std::string& path, const SessionOptions& options) {
  Stopwatch watch;
  VULTUS_TRY(Graph graph, import_onnx(path, options.shapes, options.batch));
  const double import_ms = watch.lap_ms();
  VULTUS_TRY(PassReport passes, optimise(graph, options.fuse));
  const double passes_ms = watch.lap_ms();
  VULTUS_TRY(Session session, from_graph(std::move(graph), options, std::move(passes)));
  session.set_load_times(import_ms, passes_ms);
  return session;
}

}  // namespace vultus
