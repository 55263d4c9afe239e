#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "host/core/tensor.hpp"
#include "host/graph/graph.hpp"
#include "host/run/device.hpp"

namespace vultus::test {

/// Path below the shared folder (VULTUS_SHARED, default ../shared beside the repository); empty
/// when it is absent.
std::string shared(const std::string& relative);
/// Skips the test in one line when shared files are absent; fails instead where CI is set.
#define VULTUS_NEED_SHARED(variable, relative)                                      \
  const std::string variable = ::vultus::test::shared(relative);                    \
  if (variable.empty()) {                                                           \
    if (std::getenv("CI")) FAIL() << "shared/" << (relative) << " is absent in CI"; \
    GTEST_SKIP() << "shared/" << (relative) << " is absent (set VULTUS_SHARED)";    \
  }

/// Every array of an .npz file by name.
std::map<std::string, Tensor> read_npz(const std::string& path);

/// |a - b|_2 / |b|_2 over float tensors; infinity when a value is not finite or the sizes differ.
double relative_l2(std::span<const float> a, std::span<const float> b);

/// Seeded uniform values in [low, high).
Tensor random_tensor(const Shape& shape, uint32_t seed, float low = -1, float high = 1);

/// A graph of one node for operator tests: `inputs` are graph inputs unless `constant`; shapes are
/// inferred.
struct Operand {
  Tensor tensor;
  bool constant = false;
};
Result<Graph> single_node(const std::string& op,
                          std::map<std::string, Attribute, std::less<>> attributes,
                          const std::vector<Operand>& operands, size_t outputs = 1, int opset = 18);

/// Runs a graph as one partition on a device: compile, upload in order of graph.inputs, submit,
/// wait, download.
Result<std::vector<Tensor>> run_on(Device& device, const Graph& graph,
                                   const std::vector<const Tensor*>& inputs,
                                   Precision precision = Precision::fp32);

}  // namespace vultus::test
