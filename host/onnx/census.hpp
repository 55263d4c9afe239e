#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/core/result.hpp"

namespace vultus {

/// An ONNX file as it stands: read, but neither checked against what the engine can do nor given
/// shapes.
struct ModelCensus {
  struct Input {
    std::string name, dtype;
    std::vector<std::string> dims;  ///< "224", the name of a symbolic size, or "?"
    bool is_fixed = true;           ///< no size is open
  };
  struct Unsupported {
    std::string node, op, reason;
  };
  std::string producer;
  int64_t ir_version = 0;
  int opset = 0;
  std::vector<Input> inputs;  ///< initialisers left out
  std::vector<std::string> outputs;
  std::map<std::string, int> operators;  ///< how many nodes of each
  int64_t parameters = 0;                ///< elements of all initialisers
  std::vector<Unsupported> unsupported;  ///< nodes that the engine cannot read
};

/// Errc::bad_model when the file is no model that can be read.
Result<ModelCensus> read_census(const std::string& path);

}  // namespace vultus
