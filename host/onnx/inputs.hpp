#pragma once

#include <vector>

#include "host/onnx/import.hpp"
#include "host/onnx/proto.hpp"

namespace vultus {

struct InputSpec {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  int64_t batch = 1;  ///< what axis 0 is to become where the file fixes it at 1
};

/// Types and sizes of the graph's real inputs (old files list their initialisers among them).
/// Symbolic sizes come from `bindings`; one that several inputs share is bound for all of them; an
/// unbound first axis is 1; any other unbound size is refused with the option that would bind it.
/// `batch`, unless 0, is for the first axis of every input.
Result<std::vector<InputSpec>> read_inputs(const onnx::GraphProto& graph,
                                           const ShapeBindings& bindings, int64_t batch);

}  // namespace vultus
