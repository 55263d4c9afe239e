#pragma once

#include <gtest/gtest.h>

#include "tests/onnx/model_builder.hpp"
// Need the namespace that model_builder.hpp defines.
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

namespace vultus::test {

/// The ONNX project's own checker and its strict shape inference have nothing against the file.
inline void expect_valid_onnx(const std::string& bytes) {
  onnx::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(bytes));
  EXPECT_NO_THROW(onnx::checker::check_model(model));
  const onnx::ShapeInferenceOptions strict(true, 1, false);
  EXPECT_NO_THROW(
      onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), strict));
}

}  // namespace vultus::test
