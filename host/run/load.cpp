#include "host/run/load.hpp"

#include "host/core/stopwatch.hpp"
#include "host/run/session.hpp"

namespace vultus {

Result<LoadedGraph> load_graph(const std::string& path, const ShapeBindings& shapes, int64_t batch,
                               bool fuse) {
  LoadedGraph loaded;
  Stopwatch watch;
  VULTUS_TRY(loaded.graph, import_onnx(path, shapes, batch));
  loaded.import_ms = watch.lap_ms();
  VULTUS_TRY(loaded.passes, optimise(loaded.graph, fuse));
  loaded.passes_ms = watch.lap_ms();
  return loaded;
}

Result<Session> Session::load(const std::string& path, const SessionOptions& options) {
  VULTUS_TRY(LoadedGraph loaded, load_graph(path, options.shapes, options.batch, options.fuse));
  VULTUS_TRY(Session session,
             from_graph(std::move(loaded.graph), options, std::move(loaded.passes)));
  session.set_load_times(loaded.import_ms, loaded.passes_ms);
  return session;
}

}  // namespace vultus
