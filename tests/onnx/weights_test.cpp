#include "host/onnx/weights.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/onnx/model_builder.hpp"

namespace vultus {
namespace {

class Text : public ByteSource {
 public:
  explicit Text(std::string text) : text_(std::move(text)) {}
  uint64_t size() const override { return text_.size(); }
  bool read(uint64_t offset, std::span<std::byte> out) const override {
    if (offset > text_.size() || out.size() > text_.size() - offset) return false;
    std::ranges::copy(std::as_bytes(std::span(text_)).subspan(offset, out.size()), out.begin());
    return true;
  }

 private:
  std::string text_;
};

onnx::TensorProto* add_raw(onnx::ModelProto& model, const std::string& name, int64_t count) {
  auto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  tensor->add_dims(count);
  std::string raw(static_cast<size_t>(count) * 4, '\0');
  for (size_t i = 0; i < raw.size(); ++i)
    raw[i] = static_cast<char>(i % 100);
  tensor->set_raw_data(raw);
  return tensor;
}

TEST(OnnxWeights, LargeRawDataStaysInTheFile) {
  onnx::ModelProto model = test::small_model();
  add_raw(model, "small", 3);
  add_raw(model, "large", 5000);
  test::add_floats(model, "typed", {2000});
  const std::string file = model.SerializeAsString();
  auto without = take_weights_out(Text(file));
  ASSERT_TRUE(without);
  EXPECT_LT(without->bytes.size(), file.size() - 20000 + 16);
  ASSERT_EQ(without->raw.size(), 3u);
  EXPECT_EQ(without->raw[0].size, 0u);
  EXPECT_EQ(without->raw[1].size, 20000u);
  EXPECT_EQ(without->raw[2].size, 0u);
  EXPECT_EQ(file.substr(without->raw[1].offset, 20000), model.graph().initializer(1).raw_data());
  onnx::ModelProto rest;
  ASSERT_TRUE(rest.ParseFromString(without->bytes));
  *rest.mutable_graph()->mutable_initializer(1)->mutable_raw_data() =
      model.graph().initializer(1).raw_data();
  EXPECT_EQ(rest.SerializeAsString(), file);
}

TEST(OnnxWeights, TwoPiecesOfRawDataAreLeftToTheParser) {
  onnx::ModelProto model = test::small_model();
  add_raw(model, "large", 5000);
  std::string tensor = model.graph().initializer(0).SerializeAsString();
  onnx::TensorProto second;
  second.set_raw_data(std::string(2000, 'x'));
  tensor += second.SerializeAsString();
  onnx::GraphProto graph;
  graph.mutable_unknown_fields()->AddLengthDelimited(5, tensor);
  onnx::ModelProto twice;
  twice.mutable_unknown_fields()->AddLengthDelimited(7, graph.SerializeAsString());
  EXPECT_FALSE(take_weights_out(Text(twice.SerializeAsString())));
}

TEST(OnnxWeights, EveryTruncationIsLeftToTheParserOrSound) {
  onnx::ModelProto model = test::small_model();
  add_raw(model, "large", 300);
  const std::string file = model.SerializeAsString();
  for (size_t length = 0; length < file.size(); ++length) {
    auto without = take_weights_out(Text(file.substr(0, length)));
    if (!without) continue;
    for (const ByteRange& range : without->raw)
      EXPECT_LE(range.offset + range.size, length);
  }
}

TEST(OnnxWeights, ANetworkWithBothKindsOfDataIsImportedAsWritten) {
  onnx::ModelProto model = test::small_model();
  add_raw(model, "large", 600);
  model.mutable_graph()->clear_input();
  model.mutable_graph()->mutable_node(0)->set_input(0, "large");
  auto graph = test::import_model(model);
  ASSERT_TRUE(graph) << graph.error().what;
  const Tensor* folded = graph->constant(graph->outputs[0]);
  ASSERT_TRUE(folded);
  auto raw = model.graph().initializer(0).raw_data();
  for (size_t i = 0; i < 600; ++i) {
    float expected = 0;
    std::memcpy(&expected, raw.data() + 4 * i, 4);
    EXPECT_EQ(folded->as<float>()[i], std::max(expected, 0.0f));
  }
}

}  // namespace
}  // namespace vultus
