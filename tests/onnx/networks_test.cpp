#include <gtest/gtest.h>

#include "host/graph/passes/passes.hpp"
#include "host/onnx/import.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {
namespace {

using Census = std::map<std::string, int>;

Census census_of(const Graph& graph) {
  Census census;
  for (const Node& node : graph.nodes)
    ++census[node.op];
  return census;
}

struct Network {
  std::string file;      ///< below shared/models
  ShapeBindings shapes;  ///< of what is symbolic
  Census left;           ///< operators after optimise
};

std::vector<Network> networks() {
  const Census retinaface{{"Add", 2},     {"Concat", 6}, {"Conv", 56},   {"Relu", 3},
                          {"Reshape", 9}, {"Resize", 2}, {"Softmax", 1}, {"Transpose", 9}};
  const Census rfb{{"Add", 2},     {"Concat", 5}, {"Conv", 52},    {"Div", 2},
                   {"Exp", 1},     {"Mul", 4},    {"Reshape", 8},  {"Slice", 6},
                   {"Softmax", 1}, {"Sub", 1},    {"Transpose", 8}};
  Census rfb_nms = rfb;
  for (const char* op : {"NonMaxSuppression", "Slice", "Transpose"})
    ++rfb_nms[op];
  const Census pfld{{"AveragePool", 4}, {"Concat", 23}, {"Conv", 51}, {"Gemm", 1}, {"Reshape", 5}};
  const Census ghostnet{{"Add", 7},   {"AveragePool", 4}, {"Concat", 23},
                        {"Conv", 59}, {"Gemm", 1},        {"Reshape", 5}};
  const Census yunet{{"Add", 2},    {"Conv", 53},   {"MaxPool", 4},   {"Reshape", 12},
                     {"Resize", 2}, {"Sigmoid", 6}, {"Transpose", 12}};
  const Census star{{"Add", 16},    {"BatchNormalization", 59},
                    {"Clip", 4},    {"Concat", 6},
                    {"Conv", 213},  {"Div", 2},
                    {"Greater", 3}, {"MaxPool", 17},
                    {"Mul", 4},     {"InstanceNormalization", 4},
                    {"Reshape", 2}, {"Resize", 16},
                    {"Slice", 3},   {"ReduceSum", 3},
                    {"Where", 6}};
  // The one Cast turns a comparison into numbers; nothing of the 98 around the pads is left.
  const Census mtl{{"Add", 4},
                   {"BatchNormalization", 1},
                   {"Cast", 1},
                   {"Clip", 1},
                   {"Concat", 1},
                   {"Conv", 81},
                   {"Div", 1},
                   {"Gemm", 13},
                   {"GlobalAveragePool", 17},
                   {"GreaterOrEqual", 1},
                   {"MatMul", 4},
                   {"Mul", 20},
                   {"Pow", 1},
                   {"ReduceSum", 3},
                   {"Reshape", 11},
                   {"Slice", 1},
                   {"Sqrt", 1},
                   {"TopK", 1},
                   {"Transpose", 1}};
  Census mtl_traced = mtl;
  mtl_traced["MatMul"] += 2;  // its Einsums
  mtl_traced["Mul"] -= 2;     // norms in one operator
  mtl_traced["ReduceSum"] -= 1;
  mtl_traced.erase("Sqrt");
  mtl_traced["ReduceL2"] = 1;
  mtl_traced["Reshape"] -= 1;
  return {
      {"star98_256_seeded", {}, star},
      {"mtl_efficientnet_b0_224_seeded", {}, mtl},
      {"mtl_efficientnet_b0_224_seeded_traced", {}, mtl_traced},
      {"retinaface_mnet025_640x640", {}, retinaface},
      {"retinaface_mnet025_dynamic", {{"input", {1, 3, 270, 480}}}, retinaface},
      {"retinaface_mnet025_dynamic", {{"input", {2, 3, 241, 321}}}, retinaface},
      {"pfld98_ghostone_112", {}, pfld},
      {"pfld98_ghostnet_112", {}, ghostnet},
      {"face_detection_yunet_2023mar", {}, yunet},
      {"version-RFB-320", {}, rfb},
      {"derived_version-RFB-320_opset11_nms", {}, rfb_nms},
  };
}

/// Their results against ONNX Runtime's are checked in tests/cpu.
TEST(Networks, KeepOnlyTheirArithmetic) {
  for (const Network& network : networks()) {
    VULTUS_NEED_SHARED(path, "models/" + network.file + ".onnx");
    SCOPED_TRACE(network.file);
    auto graph = import_onnx(path, network.shapes);
    ASSERT_TRUE(graph) << graph.error().what;
    auto optimised = optimise(*graph);
    ASSERT_TRUE(optimised) << optimised.error().what;
    EXPECT_EQ(census_of(*graph), network.left);
    for (const auto& [name, shape] : network.shapes)
      EXPECT_EQ(graph->shape(graph->find(name)), shape);
  }
}

}  // namespace
}  // namespace vultus::test
