#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "host/run/session.hpp"

namespace vultus::test {

/// A network of the shared folder with the input and ONNX Runtime's fp32 outputs for it.
struct ReferenceNetwork {
  const char* model;                   ///< shared/models/<model>.onnx
  const char* arrays;                  ///< shared/reference/<arrays>.npz
  const char* input_arrays = nullptr;  ///< where the input is, when not with the outputs
  /// A largest absolute difference that is good enough where a relative one means nothing.
  double absolute = 0;
  std::string test_name() const;
};

/// Every network of the shared folder with a reference.
std::vector<ReferenceNetwork> reference_networks();

/// The network loaded for its reference input, run once, and what it should have given.
struct ReferenceRun {
  std::unique_ptr<Session> session;
  std::map<std::string, Tensor> expected;
};
/// Fails or skips the running test (`run.session` stays null) when something is missing.
void run_reference(const ReferenceNetwork& network, std::vector<Device*> devices,
                   Precision precision, ReferenceRun& run);

/// Every output within a relative L2 distance of the reference (integers: equal).
void expect_close(const ReferenceRun& run, double relative_l2, double absolute);

}  // namespace vultus::test
