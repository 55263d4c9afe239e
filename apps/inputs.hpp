#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/common.hpp"
#include "host/onnx/test_data.hpp"
#include "host/run/output_error.hpp"

namespace vultus::app {

/// What --input takes, for help texts.
inline constexpr const char* kInputHelp =
    "NAME=FILE.npy or FILE.pb (NAME may be left out for a network of one input); or a folder of "
    "test data in the ONNX layout: test_data_set_N, or one that holds several";

/// Tensors for one run or, from a folder of folders of test data, several.
struct InputSets {
  std::vector<TestData> sets;  ///< at least one; `folder` is empty where no test data were given
  size_t found = 1;            ///< sets that the folder holds, also those not read
  bool several = false;        ///< the folder given holds the sets, it is not one itself
};

/// A tensor for every input of the network, from what --input says. Without a folder, inputs not
/// named get seeded uniform values in -1..1 when `fill` is set, else an error. At most `most` sets
/// are read.
Result<InputSets> read_inputs(const Graph& graph, const std::vector<std::string>& texts, bool fill,
                              size_t most = SIZE_MAX);

/// Sets them in slot 0.
Result<void> set_inputs(Session& session, const TestData& data);

/// Relative L2 error that an output may have: 0.05 where layers are stored in fp16, else 0.001.
double tolerance_of(const Session& session, const EngineOptions& engine);
/// For scripts.
Json error_json(const OutputError& error, double tolerance);
/// "worst error 1.2e-07 absolute, 3.1e-06 relative; relative L2 4.0e-08".
std::string error_text(const OutputError& error);

}  // namespace vultus::app
