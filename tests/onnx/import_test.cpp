#include "host/onnx/import.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "tests/onnx/model_builder.hpp"

namespace vultus::test {
namespace {

using testing::IsSubstring;

onnx::TypeProto::Tensor* input_type(onnx::ModelProto& model) {
  return model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type();
}

/// small_model with the sizes of "x" replaced; 0 stands for the symbol 'N'.
onnx::ModelProto model_of_sizes(const std::vector<std::string>& dims) {
  onnx::ModelProto model = small_model();
  auto* shape = input_type(model)->mutable_shape();
  shape->clear_dim();
  for (const auto& dim : dims) {
    if (std::isdigit(static_cast<unsigned char>(dim[0])))
      shape->add_dim()->set_dim_value(std::stoll(dim));
    else
      shape->add_dim()->set_dim_param(dim);
  }
  return model;
}

TEST(OnnxImport, AGraphKeepsNamesTypesAndSizes) {
  auto graph = import_model(small_model());
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_EQ(graph->name, "small");
  ASSERT_EQ(graph->nodes.size(), 1u);
  EXPECT_EQ(graph->nodes[0].name, "first");
  EXPECT_EQ(graph->nodes[0].opset, 13);
  ASSERT_EQ(graph->inputs.size(), 1u);
  EXPECT_EQ(graph->value(graph->inputs[0]).name, "x");
  ASSERT_EQ(graph->outputs.size(), 1u);
  EXPECT_EQ(graph->value(graph->outputs[0]).name, "y");
  EXPECT_EQ(graph->shape(graph->outputs[0]), (Shape{2, 3}));
  EXPECT_EQ(graph->value(graph->outputs[0]).producer, 0);
}

TEST(OnnxImport, NodesWithoutOrWithEqualNamesGetUniqueOnes) {
  auto model = small_model();
  model.mutable_graph()->mutable_node(0)->clear_name();
  add_node(model, "Relu", "same", {"y"}, {"z"});
  add_node(model, "Relu", "same", {"z"}, {"w"});
  model.mutable_graph()->mutable_output(0)->set_name("w");
  auto graph = import_model(model);
  ASSERT_TRUE(graph) << graph.error().what;
  ASSERT_EQ(graph->nodes.size(), 3u);
  EXPECT_EQ(graph->nodes[0].name, "y");
  EXPECT_EQ(graph->nodes[1].name, "same");
  EXPECT_EQ(graph->nodes[2].name, "w");
}

TEST(OnnxImport, NodesOutOfOrderAreSorted) {
  auto model = small_model();
  model.mutable_graph()->mutable_node(0)->set_input(0, "late");
  add_node(model, "Relu", "second", {"x"}, {"late"});
  auto graph = import_model(model);
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_EQ(graph->nodes[0].name, "second");
  EXPECT_EQ(graph->nodes[1].name, "first");
}

TEST(OnnxImport, NodesThatNoOutputNeedsAreDropped) {
  auto model = small_model();
  add_node(model, "TrainingOnly", "dead", {"x"}, {"unused"});
  auto graph = import_model(model);
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_EQ(graph->nodes.size(), 1u);
}

TEST(OnnxImport, NodesOfConstantsAreFoldedBeforeTheNextIsInferred) {
  auto model = small_model();
  add_floats(model, "c", {2, 2})->set_float_data(0, -5);
  model.mutable_graph()->mutable_node(0)->set_input(0, "c");
  auto graph = import_model(model);
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_TRUE(graph->nodes.empty());
  const Tensor* y = graph->constant(graph->outputs[0]);
  ASSERT_TRUE(y);
  EXPECT_EQ(y->as<float>()[0], 0);
  EXPECT_EQ(y->as<float>()[3], 4);
}

TEST(OnnxImport, InitialisersListedAmongTheInputsAreNoInputs) {
  auto model = small_model();
  add_floats(model, "w", {1});
  *model.mutable_graph()->add_input() = model.graph().input(0);
  model.mutable_graph()->mutable_input(1)->set_name("w");
  auto graph = import_model(model);
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_EQ(graph->inputs.size(), 1u);
}

TEST(OnnxImport, AnOpenBatchIsOne) {
  auto graph = import_model(model_of_sizes({"N", "3"}));
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_EQ(graph->shape(graph->outputs[0]), (Shape{1, 3}));
}

TEST(OnnxImport, OpenSizesAreBoundByName) {
  auto graph = import_model(model_of_sizes({"N", "3", "H", "W"}), {{"x", {2, 3, 5, 7}}});
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_EQ(graph->shape(graph->outputs[0]), (Shape{2, 3, 5, 7}));
}

TEST(OnnxImport, ASymbolBoundAtOneInputHoldsForTheOthers) {
  auto model = model_of_sizes({"N", "L"});
  *model.mutable_graph()->add_input() = model.graph().input(0);
  model.mutable_graph()->mutable_input(1)->set_name("second");
  add_node(model, "Relu", "r", {"second"}, {"z"});
  model.mutable_graph()->add_output()->set_name("z");
  auto graph = import_model(model, {{"second", {4, 9}}});
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_EQ(graph->shape(graph->inputs[0]), (Shape{4, 9}));
}

TEST(OnnxImport, WrongBindingsAreRefused) {
  struct Case {
    std::vector<std::string> dims;
    ShapeBindings shapes;
    std::string reason;
  };
  const Case cases[] = {
      {{"N", "3", "H", "W"}, {}, "bind it with --shape x=1x3x480x640"},
      {{"2", "3"}, {{"x", {2, 4}}}, "dimension 1 is fixed at 3"},
      {{"2", "3"}, {{"x", {2, 3, 1}}}, "declares 2 dimensions"},
      {{"2", "3"}, {{"nose", {2, 3}}}, "no such input; it has: x"},
      {{"N", "L"}, {{"x", {1, 0}}}, "at least 1"},
      {{"L", "L"}, {{"x", {1, 2}}}, "'L' is bound to 1 elsewhere"},
      {{"N", "A", "B"}, {{"x", {1, 1 << 20, 1 << 20}}}, "limit"},
  };
  for (const Case& c : cases) {
    auto graph = import_model(model_of_sizes(c.dims), c.shapes);
    ASSERT_FALSE(graph) << c.reason;
    EXPECT_PRED_FORMAT2(IsSubstring, c.reason, graph.error().what);
    EXPECT_PRED_FORMAT2(IsSubstring, "test.onnx", graph.error().what);
  }
}

/// The value of initialiser "w", imported as the graph's output.
Result<Tensor> import_initialiser(const onnx::TensorProto& tensor) {
  auto model = small_model();
  *model.mutable_graph()->add_initializer() = tensor;
  model.mutable_graph()->mutable_initializer(0)->set_name("w");
  model.mutable_graph()->mutable_output(0)->set_name("w");
  VULTUS_TRY(auto graph, import_model(model));
  return graph.constant(graph.outputs[0])->clone();
}

TEST(OnnxTensors, RawAndTypedDataOfEveryTypeAreRead) {
  onnx::TensorProto p;
  p.add_dims(2);
  auto raw = [&](auto a, auto b) {
    decltype(a) values[] = {a, b};
    p.set_raw_data(values, sizeof values);
  };
  auto read = [&](onnx::TensorProto::DataType type) {
    p.set_data_type(type);
    auto tensor = import_initialiser(p);
    EXPECT_TRUE(tensor) << tensor.error().what;
    p.clear_raw_data();
    p.clear_int32_data();
    return tensor ? std::move(*tensor) : Tensor();
  };
  raw(1.5f, -2.0f);
  EXPECT_EQ(read(onnx::TensorProto::FLOAT).as<float>()[1], -2);
  raw(1.5, -2.25);
  EXPECT_EQ(read(onnx::TensorProto::DOUBLE).as<double>()[1], -2.25);
  raw(int64_t{1}, int64_t{-7});
  EXPECT_EQ(read(onnx::TensorProto::INT64).as<int64_t>()[1], -7);
  raw(int32_t{1}, int32_t{-7});
  EXPECT_EQ(read(onnx::TensorProto::INT32).as<int32_t>()[1], -7);
  raw(uint8_t{1}, uint8_t{200});
  EXPECT_EQ(read(onnx::TensorProto::UINT8).as<uint8_t>()[1], 200);
  raw(true, false);
  EXPECT_TRUE(read(onnx::TensorProto::BOOL).as<bool>()[0]);
  raw(uint16_t{0x3c00}, uint16_t{0xc000});
  EXPECT_EQ(read(onnx::TensorProto::FLOAT16).as<float>()[1], -2) << "halves become floats";
  p.add_int32_data(0x3c00);
  p.add_int32_data(0xc000);
  EXPECT_EQ(read(onnx::TensorProto::FLOAT16).as<float>()[1], -2);
  p.add_int32_data(-1);
  p.add_int32_data(127);
  EXPECT_EQ(read(onnx::TensorProto::INT8).as<int8_t>()[1], 127);
}

TEST(OnnxTensors, BrokenTensorsAreRefusedByName) {
  using Spoil = std::function<void(onnx::TensorProto&)>;
  struct Case {
    Spoil spoil;
    std::string reason;
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const Case cases[] = {
      {[](auto& t) { t.set_dims(0, -2); }, "impossible size -2"},
      {[](auto& t) { t.set_dims(0, int64_t{1} << 39); }, "which is the limit"},
      {[](auto& t) { t.set_dims(0, std::numeric_limits<int64_t>::max()); }, "impossible size"},
      {[](auto& t) {
         t.set_dims(0, int64_t{1} << 32);
         t.add_dims(int64_t{1} << 32);
       },
       "impossible size"},
      {[](auto& t) {
         for (int i = 0; i < 8; ++i)
           t.add_dims(1);
       },
       "9 dimensions; at most 8"},
      {[](auto& t) { t.set_dims(0, 3); }, "holds 2 typed values, which is not 3"},
      {[](auto& t) { t.clear_float_data(); }, "holds 0 typed values"},
      {[](auto& t) {
         t.clear_float_data();
         t.set_raw_data("1234567");
       },
       "holds 7 raw bytes; 2 of float32 are 8"},
      {[](auto& t) { t.set_raw_data("12345678"); }, "holds its data twice"},
      {[](auto& t) { t.add_int64_data(1); }, "holds its data twice"},
      {[](auto& t) { t.set_float_data(1, kNan); }, "element 1 is nan"},
      {[](auto& t) { t.set_float_data(0, -kInf); }, "element 0 is -inf"},
      {[](auto& t) { t.set_data_type(onnx::TensorProto::UINT16); }, "type UINT16"},
      {[](auto& t) { t.set_data_type(onnx::TensorProto::STRING); }, "type STRING"},
      {[](auto& t) { t.set_data_type(onnx::TensorProto::BFLOAT16); }, "type BFLOAT16"},
      {[](auto& t) { t.set_data_type(99); }, "type 99"},
      {[](auto& t) { t.clear_data_type(); }, "type UNDEFINED"},
      {[](auto& t) { t.mutable_segment()->set_begin(0); }, "segments"},
      {[](auto& t) {
         t.set_data_type(onnx::TensorProto::INT8);
         t.clear_float_data();
         t.add_int32_data(1);
         t.add_int32_data(128);
       },
       "element 1 is 128, which is no int8"},
      {[](auto& t) {
         t.set_data_type(onnx::TensorProto::BOOL);
         t.clear_float_data();
         t.set_raw_data("\x01\x02");
       },
       "neither 0 nor 1"},
  };
  for (const Case& c : cases) {
    onnx::TensorProto p;
    p.set_data_type(onnx::TensorProto::FLOAT);
    p.add_dims(2);
    p.add_float_data(1);
    p.add_float_data(2);
    c.spoil(p);
    auto tensor = import_initialiser(p);
    ASSERT_FALSE(tensor) << c.reason;
    EXPECT_EQ(tensor.error().code, Errc::bad_model);
    EXPECT_PRED_FORMAT2(IsSubstring, c.reason, tensor.error().what);
    EXPECT_PRED_FORMAT2(IsSubstring, "initialiser 'w'", tensor.error().what);
  }
}

TEST(OnnxTensors, ASingleInfinityIsABound) {
  onnx::TensorProto p;
  p.set_data_type(onnx::TensorProto::FLOAT);
  p.add_float_data(std::numeric_limits<float>::infinity());
  EXPECT_TRUE(import_initialiser(p));
}

}  // namespace
}  // namespace vultus::test
