#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "host/onnx/import.hpp"
#include "host/run/device.hpp"
#include "host/run/session.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {

using Outputs = std::map<std::string, Tensor>;

/// Runs a graph once on the CPU.
inline Outputs run_network(Result<Graph> graph, const Tensor& input) {
  Outputs outputs;
  if (!graph) {
    ADD_FAILURE() << graph.error().what;
    return outputs;
  }
  auto cpu = open_cpu(2).value();
  auto session = Session::from_graph(
      std::move(*graph), {.devices = {cpu.get()}, .precision = Precision::fp32, .shapes = {}});
  if (!session) {
    ADD_FAILURE() << session.error().what;
    return outputs;
  }
  session->set_input("input", input.view()).value();
  session->run().value();
  for (const std::string& name : session->output_names())
    outputs.emplace(name, session->output(name).value()->clone());
  return outputs;
}

/// The file's bytes, bound to the input's shape, run on it.
inline Outputs run_bytes(const std::string& onnx, const Tensor& input) {
  return run_network(
      import_onnx(std::as_bytes(std::span(onnx)), "converted", {{"input", input.shape()}}, ""),
      input);
}

inline Outputs run_file(const std::string& path, const Tensor& input) {
  return run_network(import_onnx(path, {{"input", input.shape()}}), input);
}

/// Largest difference of two numbers, as a part of the largest number wanted.
inline double relative_difference(const Tensor& got, const Tensor& wanted) {
  if (got.shape() != wanted.shape()) return INFINITY;
  double largest = 0, difference = 0;
  auto x = got.as<float>(), y = wanted.as<float>();
  for (size_t i = 0; i < x.size(); ++i) {
    const double d = std::abs(double{x[i]} - double{y[i]});
    if (!(d <= difference)) difference = d;  // NaN stays
    largest = std::max(largest, std::abs(double{y[i]}));
  }
  return difference / largest;
}

/// No number of any output is further off than that part of the output's largest.
inline void expect_equal(const Outputs& got, const Outputs& wanted, double tolerance = 1e-5) {
  EXPECT_EQ(got.size(), wanted.size());
  for (const auto& [name, tensor] : wanted) {
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_EQ(got.at(name).shape(), tensor.shape()) << name;
    EXPECT_LE(relative_difference(got.at(name), tensor), tolerance) << name;
  }
}

}  // namespace vultus::test
