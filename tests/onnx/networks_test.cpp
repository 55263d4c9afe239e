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
  const Census retinaface{{"Concat", 6}, {"Conv", 50},   {"Reshape", 9},
                          {"Slice", 9},  {"Softmax", 1}, {"Transpose", 9}};
  // Maps of odd sizes are not enlarged by whole factors.
  Census retinaface_270 = retinaface, retinaface_241 = retinaface;
  retinaface_270["Resize"] = 1;
  retinaface_241["Resize"] = 2;
  const Census rfb{{"Concat", 5}, {"Conv", 51},   {"Pointwise", 4}, {"Reshape", 8},
                   {"Slice", 8},  {"Softmax", 1}, {"Transpose", 8}};
  Census rfb_nms = rfb;
  for (const char* op : {"NonMaxSuppression", "Slice", "Transpose"})
    ++rfb_nms[op];
  const Census pfld{{"AveragePool", 4}, {"Concat", 23}, {"Conv", 51}, {"Gemm", 1}, {"Reshape", 5}};
  const Census ghostnet{{"Add", 7},   {"AveragePool", 4}, {"Concat", 23},
                        {"Conv", 59}, {"Gemm", 1},        {"Reshape", 5}};
  const Census yunet{{"Add", 2},    {"Conv", 53},   {"MaxPool", 4},   {"Reshape", 12},
                     {"Resize", 2}, {"Sigmoid", 6}, {"Transpose", 12}};
  const Census star{
      {"Concat", 4},    {"Conv", 207},    {"MaxPool", 17}, {"InstanceNormalization", 4},
      {"Pointwise", 5}, {"ReduceSum", 3}, {"Reshape", 2},  {"Slice", 3}};
  // The one Cast turns a comparison into numbers; nothing of the 98 around the pads is left.
  const Census mtl{
      {"Cast", 1},          {"Conv", 49},          {"Gemm", 8},      {"GlobalAveragePool", 1},
      {"MatMul", 2},        {"GreaterOrEqual", 1}, {"Pointwise", 3}, {"ReduceSum", 2},
      {"ReduceL2", 1},      {"Reshape", 8},        {"Slice", 1},     {"TopK", 1},
      {"SqueezeExcite", 16}};
  Census mtl_traced = mtl;
  mtl_traced["MatMul"] += 2;  // its Einsums
  mtl_traced["Reshape"] -= 1;
  return {
      {"star98_256_seeded", {}, star},
      {"mtl_efficientnet_b0_224_seeded", {}, mtl},
      {"mtl_efficientnet_b0_224_seeded_traced", {}, mtl_traced},
      {"retinaface_mnet025_640x640", {}, retinaface},
      {"retinaface_mnet025_dynamic", {{"input", {1, 3, 270, 480}}}, retinaface_270},
      {"retinaface_mnet025_dynamic", {{"input", {2, 3, 241, 321}}}, retinaface_241},
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
