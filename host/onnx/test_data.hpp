#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// Arrays for one run of a network, as the ONNX project lays them out: a folder of input_0.pb,
/// input_1.pb, ... and output_0.pb, ..., each a tensor (tensor_file.hpp). A file whose tensor has
/// the name of an input of the network belongs to that input, any other to the input of its number;
/// likewise outputs.
struct TestData {
  std::string folder;
  std::map<std::string, Tensor> inputs;   ///< every one of the network
  std::map<std::string, Tensor> outputs;  ///< what it should make of them; some or all may lack
};

/// `folder` itself where it is such a folder, else those named test_data_set_* in it, 2 before 10.
/// Errc::bad_input where there is neither.
Result<std::vector<std::string>> find_test_data(const std::string& folder);

/// Errc::bad_input, naming the file, where one is missing, damaged, too many, or an input of
/// another type or size than the network's.
Result<TestData> read_test_data(const std::string& folder, const Graph& graph);

}  // namespace vultus
