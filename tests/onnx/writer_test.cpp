// What is written is what the importer, and protobuf itself, read back.
#include "host/onnx/writer.hpp"

#include <gtest/gtest.h>

#include "tests/onnx/model_builder.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {
namespace {

Result<Graph> import_written(const OnnxWriter& writer, const ShapeBindings& shapes = {}) {
  VULTUS_TRY(std::string bytes, writer.serialise());
  return import_onnx(std::as_bytes(std::span(bytes)), "written", shapes, "");
}

onnx::ModelProto parsed(const OnnxWriter& writer) {
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(writer.serialise().value()));
  return proto;
}

/// What serialise says of a wrong network.
std::string mistake(const OnnxWriter& writer) {
  auto bytes = writer.serialise();
  if (bytes) return "";
  EXPECT_EQ(bytes.error().code, Errc::internal);
  return bytes.error().what;
}

TEST(OnnxWriter, TheImporterReadsItBack) {
  OnnxWriter writer("small");
  writer.input("x", {"N", 2, "H", "W"});
  const Tensor weight = random_tensor({3, 2, 3, 3}, 1), bias = random_tensor({3}, 2);
  writer.initializer("w", weight);
  writer.initializer("b", bias);
  writer.node(
      "Conv", "conv", {"x", "w", "b"},
      {{"pads", std::vector<int64_t>{1, 0, 1, 2}}, {"kernel_shape", std::vector<int64_t>{3, 3}}});
  writer.node("LeakyRelu", "y", {"conv"}, {{"alpha", 0.25f}});
  writer.output("y", {"N", 3, "H", "W"});
  auto graph = import_written(writer, {{"x", {2, 2, 5, 7}}});
  ASSERT_TRUE(graph) << graph.error().what;
  ASSERT_EQ(graph->nodes.size(), 2U);
  const Node& conv = graph->nodes[0];
  EXPECT_EQ(conv.name, "conv");
  EXPECT_EQ(conv.opset, 13);
  EXPECT_EQ(conv.integers("pads"), (std::vector<int64_t>{1, 0, 1, 2}));
  for (const auto& [input, tensor] : {std::pair(1, &weight), std::pair(2, &bias)}) {
    const Tensor* read = graph->constant(conv.inputs[static_cast<size_t>(input)]);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->shape(), tensor->shape());
    EXPECT_TRUE(std::equal(read->bytes(), read->bytes() + read->size_bytes(), tensor->bytes()));
  }
  EXPECT_EQ(graph->nodes[1].real("alpha", 0), 0.25f);
  ASSERT_EQ(graph->outputs.size(), 1U);
  EXPECT_EQ(graph->value(graph->outputs[0]).name, "y");
  EXPECT_EQ(graph->shape(graph->outputs[0]), (Shape{2, 3, 5, 7}));
}

TEST(OnnxWriter, EveryKindOfAttributeAndTensor) {
  OnnxWriter writer("all");
  writer.input("x", {int64_t{4}}, DType::i64);
  writer.note("source", "a test");
  writer.node("Anything", "n", {"x", ""},
              {{"int", int64_t{-5}},
               {"float", 1.5f},
               {"text", std::string("floor")},
               {"ints", std::vector<int64_t>{1, -2}},
               {"floats", std::vector<float>{0.5f, 2}},
               {"texts", std::vector<std::string>{"a", "b"}},
               {"tensor", std::make_shared<const Tensor>(Tensor::of<int32_t>({2}, {7, -8}))}},
              3);
  writer.output("n:2", {}, DType::boolean);
  const onnx::ModelProto proto = parsed(writer);
  EXPECT_EQ(proto.producer_name(), "vultus");
  EXPECT_EQ(proto.opset_import(0).version(), 13);
  EXPECT_EQ(proto.metadata_props(0).value(), "a test");
  const onnx::NodeProto& node = proto.graph().node(0);
  EXPECT_EQ(node.input(1), "");
  EXPECT_EQ(node.output(0), "n");
  EXPECT_EQ(node.output(2), "n:2");
  std::map<std::string, const onnx::AttributeProto*> by_name;
  for (const auto& attribute : node.attribute())
    by_name[attribute.name()] = &attribute;
  using Proto = onnx::AttributeProto;
  EXPECT_EQ(by_name.at("int")->type(), Proto::INT);
  EXPECT_EQ(by_name.at("int")->i(), -5);
  EXPECT_EQ(by_name.at("float")->f(), 1.5f);
  EXPECT_EQ(by_name.at("text")->s(), "floor");
  EXPECT_EQ(by_name.at("ints")->ints(1), -2);
  EXPECT_EQ(by_name.at("floats")->floats(0), 0.5f);
  EXPECT_EQ(by_name.at("texts")->strings(1), "b");
  const onnx::TensorProto& tensor = by_name.at("tensor")->t();
  EXPECT_EQ(tensor.data_type(), onnx::TensorProto::INT32);
  int32_t second = 0;
  std::memcpy(&second, tensor.raw_data().data() + 4, 4);
  EXPECT_EQ(second, -8);
  EXPECT_EQ(proto.graph().input(0).type().tensor_type().elem_type(), onnx::TensorProto::INT64);
  EXPECT_EQ(proto.graph().output(0).type().tensor_type().elem_type(), onnx::TensorProto::BOOL);
}

TEST(OnnxWriter, TheSameCallsGiveTheSameBytes) {
  auto bytes = [] {
    OnnxWriter writer("same");
    writer.input("x", {"N", 3});
    writer.node("Softmax", "y", {"x"}, {{"axis", int64_t{-1}}});
    writer.output("y", {"N", 3});
    return writer.serialise().value();
  };
  EXPECT_EQ(bytes(), bytes());
}

TEST(OnnxWriter, MistakesAreTold) {
  OnnxWriter twice("net");
  twice.input("x", {int64_t{1}});
  twice.node("Relu", "x", {"x"});
  EXPECT_EQ(mistake(twice), "network net: value 'x' is defined twice");
  OnnxWriter early("net");
  early.node("Relu", "y", {"x"});
  EXPECT_EQ(mistake(early), "network net: value 'x' is used before it is defined");
  OnnxWriter absent("net");
  absent.output("y", {int64_t{1}});
  EXPECT_EQ(mistake(absent), "network net: value 'y' is used before it is defined");
}

}  // namespace
}  // namespace vultus::test
