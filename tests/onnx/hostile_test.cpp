#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "host/graph/passes/passes.hpp"
#include "tests/onnx/model_builder.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {
namespace {

using testing::IsSubstring;
using namespace std::string_literals;
using Model = onnx::ModelProto;

struct Case {
  std::function<void(Model&)> spoil;
  std::string reason;
};

void expect_refused(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    Model model = small_model();
    c.spoil(model);
    auto graph = import_model(model);
    ASSERT_FALSE(graph) << "accepted: " << c.reason;
    EXPECT_PRED_FORMAT2(IsSubstring, c.reason, graph.error().what);
    EXPECT_PRED_FORMAT2(IsSubstring, "test.onnx: ", graph.error().what);
  }
}

onnx::GraphProto& graph_of(Model& model) {
  return *model.mutable_graph();
}

onnx::NodeProto& first(Model& model) {
  return *graph_of(model).mutable_node(0);
}

onnx::AttributeProto* add_attribute(Model& model, const std::string& name,
                                    onnx::AttributeProto::AttributeType type) {
  auto* attribute = first(model).add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}

onnx::TypeProto::Tensor& input_type(Model& model) {
  return *graph_of(model).mutable_input(0)->mutable_type()->mutable_tensor_type();
}

TEST(HostileOnnx, FilesOfAnotherKindAreRefused) {
  expect_refused({
      {[](Model& m) { m.clear_graph(); }, "holds no graph"},
      {[](Model& m) { m.clear_opset_import(); }, "declares no version"},
      {[](Model& m) { m.mutable_opset_import(0)->set_version(8); }, "uses opset 8; 9 to 22 are"},
      {[](Model& m) { m.mutable_opset_import(0)->set_version(99); }, "uses opset 99"},
      {[](Model& m) { m.mutable_opset_import(0)->set_version(-1); }, "uses opset -1"},
      {[](Model& m) { *m.add_opset_import() = m.opset_import(0); }, "two versions"},
      {[](Model& m) { m.mutable_opset_import(0)->set_domain("com.example"); }, "no version"},
      {[](Model& m) { m.add_functions()->set_name("f"); }, "1 functions of its own"},
      {[](Model& m) { graph_of(m).add_sparse_initializer(); }, "sparse initialisers"},
      {[](Model& m) { graph_of(m).add_quantization_annotation(); }, "quantised"},
  });
}

TEST(HostileOnnx, NodesThatCannotWorkAreRefusedByName) {
  expect_refused({
      {[](Model& m) { first(m).set_op_type("Frobnicate"); }, "Frobnicate 'first'"},
      {[](Model& m) { first(m).set_op_type("QLinearConv"); }, "QLinearConv 'first'"},
      {[](Model& m) { first(m).set_op_type(""); }, "node 'first' names no operator"},
      {[](Model& m) { first(m).set_domain("com.example"); }, "custom domain 'com.example'"},
      {[](Model& m) { first(m).set_input(0, "nothing"); }, "Relu 'first': reads 'nothing'"},
      {[](Model& m) { first(m).set_input(0, "y"); }, "Relu 'first': waits for its own result"},
      {[](Model& m) {
         first(m).set_input(0, "b");
         add_node(m, "Relu", "back", {"y"}, {"b"});
       },
       "the graph has a cycle"},
      {[](Model& m) { add_node(m, "Relu", "again", {"x"}, {"y"}); },
       "Relu 'again' defines the tensor 'y', which exists already"},
      {[](Model& m) { first(m).set_output(0, "x"); }, "defines the tensor 'x'"},
      {[](Model& m) { first(m).set_output(0, ""); }, "no output with a name"},
      {[](Model& m) { first(m).clear_output(); }, "no output with a name"},
      {[](Model& m) { first(m).clear_input(); }, "Relu 'first': has 0 inputs"},
      {[](Model& m) { first(m).set_input(0, ""); }, "Relu 'first': has 0 inputs"},
      {[](Model& m) { first(m).add_input("x"); }, "Relu 'first': has 2 inputs"},
      {[](Model& m) { first(m).set_name(std::string(5000, 'n')); }, "5000 bytes long"},
      {[](Model& m) { first(m).set_name("clear\x1b[2J"); }, "'clear?[2J' holds control"},
      {[](Model& m) { first(m).set_output(0, "y\n"); }, "control characters"},
      {[](Model& m) {
         for (int i = 0; i < 100'001; ++i)
           add_node(m, "Relu", "", {"x"}, {});
       },
       "100002 nodes; at most 100000"},
  });
}

TEST(HostileOnnx, AttributesOutsideTheStandardAreRefused) {
  using Proto = onnx::AttributeProto;
  expect_refused({
      {[](Model& m) { add_attribute(m, "body", Proto::GRAPH); },
       "Relu 'first': attribute 'body' is a subgraph"},
      {[](Model& m) { add_attribute(m, "all", Proto::GRAPHS); }, "is a subgraph"},
      {[](Model& m) { add_attribute(m, "s", Proto::SPARSE_TENSOR); }, "'s' is a sparse tensor"},
      {[](Model& m) { add_attribute(m, "t", Proto::TYPE_PROTO); }, "'t' has type"},
      {[](Model& m) { add_attribute(m, "u", Proto::UNDEFINED); }, "'u' has type 0"},
      {[](Model& m) { add_attribute(m, "r", Proto::INT)->set_ref_attr_name("outer"); },
       "refers to a function's attribute"},
      {[](Model& m) {
         add_attribute(m, "twice", Proto::INT);
         add_attribute(m, "twice", Proto::FLOAT);
       },
       "the attribute 'twice' twice"},
      {[](Model& m) {
         add_attribute(m, "f", Proto::FLOAT)->set_f(std::numeric_limits<float>::quiet_NaN());
       },
       "'f' is not a number"},
      {[](Model& m) {
         auto* t = add_attribute(m, "t", Proto::TENSOR)->mutable_t();
         t->set_data_type(onnx::TensorProto::FLOAT);
         t->add_dims(1'000'000'000);
       },
       "Relu 'first': attribute 't' holds 0 typed values"},
      {[](Model& m) { add_node(m, "Constant", "c", {}, {"k"}); },
       "Constant 'c': must have exactly one value"},
      {[](Model& m) {
         auto* a = add_node(m, "Constant", "c", {}, {"k"})->add_attribute();
         a->set_name("value_string");
         a->set_type(Proto::STRING);
       },
       "Constant 'c': its 'value_string' is not supported"},
  });
}

TEST(HostileOnnx, InputsAndOutputsThatCannotBeAreRefusedByName) {
  auto dim = [](Model& m) { return input_type(m).mutable_shape()->mutable_dim(1); };
  expect_refused({
      {[=](Model& m) { dim(m)->set_dim_value(-3); }, "input 'x' has a dimension of size -3"},
      {[=](Model& m) { dim(m)->set_dim_value(0); }, "input 'x' has a dimension of size 0"},
      {[=](Model& m) { dim(m)->set_dim_value(int64_t{1} << 62); }, "input 'x' of size"},
      {[](Model& m) { input_type(m).set_elem_type(onnx::TensorProto::UINT32); }, "type UINT32"},
      {[](Model& m) { input_type(m).set_elem_type(onnx::TensorProto::DOUBLE); }, "type DOUBLE"},
      {[](Model& m) { graph_of(m).mutable_input(0)->clear_type(); }, "is no tensor"},
      {[](Model& m) { input_type(m).clear_shape(); }, "input 'x' has no shape"},
      {[](Model& m) {
         for (int i = 0; i < 7; ++i)
           input_type(m).mutable_shape()->add_dim()->set_dim_value(1);
       },
       "9 dimensions; at most 8"},
      {[](Model& m) { *graph_of(m).add_input() = m.graph().input(0); }, "the input 'x' twice"},
      {[](Model& m) { graph_of(m).mutable_input(0)->set_name(""); }, "an input without a name"},
      {[](Model& m) { graph_of(m).clear_output(); }, "has no output"},
      {[](Model& m) { *graph_of(m).add_output() = m.graph().output(0); }, "the output 'y' twice"},
      {[](Model& m) { graph_of(m).add_output()->set_name("z"); }, "output 'z' is not computed"},
      {[](Model& m) { graph_of(m).add_output(); }, "an output without a name"},
      {[](Model& m) {
         add_floats(m, "w", {1});
         add_floats(m, "w", {1});
       },
       "defines the tensor 'w'"},
      {[](Model& m) { add_floats(m, "", {1}); }, "an initialiser without a name"},
  });
}

TEST(HostileOnnx, AVeryLongChainIsImportedWithoutRecursion) {
  Model model = small_model();
  for (int i = 0; i < 50'000; ++i)
    add_node(model, i % 2 ? "Identity" : "Tanh", "", {i == 0 ? "y" : fmt::format("t{}", i)},
             {fmt::format("t{}", i + 1)});
  graph_of(model).mutable_output(0)->set_name("t50000");
  auto graph = import_model(model);
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_EQ(graph->nodes.size(), 50'001u);
  ASSERT_TRUE(optimise(*graph));
  EXPECT_LE(graph->nodes.size(), 25'001u);
}

TEST(HostileOnnx, ShapesThatGrowWithoutBoundEndInARefusal) {
  Model model = small_model();
  for (int i = 0; i < 64; ++i) {
    std::string from = i == 0 ? "y" : fmt::format("t{}", i);
    auto* concat = add_node(model, "Concat", "grow", {from, from}, {fmt::format("t{}", i + 1)});
    auto* axis = concat->add_attribute();
    axis->set_name("axis");
    axis->set_type(onnx::AttributeProto::INT);
    axis->set_i(0);
  }
  graph_of(model).mutable_output(0)->set_name("t64");
  auto graph = import_model(model);
  ASSERT_FALSE(graph);
  EXPECT_PRED_FORMAT2(IsSubstring, "Concat", graph.error().what);
}

/// A length-delimited field in protobuf's encoding.
std::string delimited(int field, const std::string& content) {
  std::string text(1, static_cast<char>(field << 3 | 2));
  for (size_t n = content.size();; n >>= 7) {
    text += static_cast<char>((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    if (n <= 0x7f) return text + content;
  }
}

TEST(HostileOnnx, FilesThatWouldSwellInMemoryAreRefusedBeforeTheyDo) {
  // Two bytes each: a node, or within one node an attribute, without content.
  std::string nodes, attributes;
  for (int i = 0; i < 3'000'000; ++i) {
    nodes += "\x0a\x00"s;
    attributes += "\x2a\x00"s;
  }
  for (const auto& graph : {nodes, delimited(1, attributes)}) {
    std::string bytes = delimited(7, graph);
    auto result = import_onnx(std::as_bytes(std::span(bytes)), "swelling", {}, "");
    ASSERT_FALSE(result);
    EXPECT_PRED_FORMAT2(IsSubstring, "over 2000000 parts", result.error().what);
  }
}

TEST(HostileOnnx, DeepNestingIsRefused) {
  // Subgraph in attribute in node in subgraph ...
  std::string text;
  for (int depth = 0; depth < 300; ++depth) {
    for (int field : {6, 5, 1})  // AttributeProto.g, NodeProto.attribute, GraphProto.node
      text = delimited(field, text);
  }
  onnx::ModelProto model = small_model();
  std::string bytes = model.SerializeAsString() + delimited(7, text);
  EXPECT_FALSE(import_onnx(std::as_bytes(std::span(bytes)), "deep", {}, ""));
}

TEST(HostileOnnx, GarbageIsRefused) {
  std::mt19937 engine(3);
  for (size_t size : {0u, 1u, 7u, 100u, 100'000u}) {
    std::vector<std::byte> bytes(size);
    for (auto& b : bytes)
      b = static_cast<std::byte>(engine());
    auto graph = import_onnx(bytes, "garbage", {}, "");
    ASSERT_FALSE(graph);
    EXPECT_EQ(graph.error().code, Errc::bad_model);
  }
  EXPECT_FALSE(import_onnx("/nowhere/model.onnx"));
  EXPECT_FALSE(import_onnx("/"));
  EXPECT_FALSE(import_onnx(""));
}

std::vector<std::byte> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// Either a refusal with a reason or a graph that the passes can take; never a crash.
void import_whatever(std::span<const std::byte> bytes, const ShapeBindings& shapes) {
  auto graph = import_onnx(bytes, "spoiled", shapes, "");
  if (!graph) {
    EXPECT_FALSE(graph.error().what.empty());
    return;
  }
  auto optimised = optimise(*graph);
  if (!optimised) {
    EXPECT_FALSE(optimised.error().what.empty());
  }
}

struct Good {
  std::string file;
  ShapeBindings shapes;
};

class Spoiled : public testing::TestWithParam<Good> {};

TEST_P(Spoiled, TruncationsAreRefused) {
  VULTUS_NEED_SHARED(path, "models/" + GetParam().file);
  auto bytes = bytes_of(path);
  std::mt19937 engine(1);
  for (int i = 0; i < 60; ++i) {
    // Half of them near the end, where names, inputs and outputs are.
    size_t range = i % 2 ? bytes.size() : 4000;
    size_t cut = 1 + engine() % range;
    auto graph =
        import_onnx(std::span(bytes).first(bytes.size() - cut), "cut", GetParam().shapes, "");
    EXPECT_FALSE(graph) << "without the last " << cut << " bytes";
  }
}

TEST_P(Spoiled, FlippedBitsNeverCrash) {
  VULTUS_NEED_SHARED(path, "models/" + GetParam().file);
  const auto bytes = bytes_of(path);
  std::mt19937 engine(2);
  for (int i = 0; i < 100; ++i) {
    auto copy = bytes;
    // The structure lies mostly in the first and last parts, weights between.
    for (int flips = 0; flips < 3; ++flips) {
      size_t span = std::min<size_t>(copy.size(), 30'000);
      size_t at = engine() % span;
      if (flips == 1) at = copy.size() - 1 - at;
      if (flips == 2) at = engine() % copy.size();
      copy[at] ^= static_cast<std::byte>(1u << (engine() % 8));
    }
    import_whatever(copy, GetParam().shapes);
  }
}

INSTANTIATE_TEST_SUITE_P(Shared, Spoiled,
                         testing::Values(Good{"retinaface_mnet025_640x640.onnx", {}},
                                         Good{"retinaface_mnet025_dynamic.onnx",
                                              {{"input", {1, 3, 64, 96}}}},
                                         Good{"face_detection_yunet_2023mar.onnx", {}},
                                         Good{"version-RFB-320.onnx", {}}),
                         [](const auto& info) { return fmt::format("File{}", info.index); });

}  // namespace
}  // namespace vultus::test
