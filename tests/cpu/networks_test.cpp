#include <algorithm>
#include <cctype>
#include <cmath>

#include "host/graph/passes/passes.hpp"
#include "host/onnx/import.hpp"
#include "host/run/device.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

// Goal A2 of the engine: fp32 on either device within 1e-5 of ONNX Runtime.
constexpr double kTolerance = 1e-5;

struct Reference {
  const char* model;
  const char* arrays;
  const char* input_arrays = nullptr;  ///< where the input is, when not with the outputs
  double absolute = 0;                 ///< a largest difference that is good enough instead
};

double largest_difference(const Tensor& a, const Tensor& b) {
  double largest = 0;
  for (size_t i = 0; i < a.as<float>().size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a.as<float>()[i]) -
                                         static_cast<double>(b.as<float>()[i])));
  return largest;
}

class CpuNetworks : public testing::TestWithParam<Reference> {};

TEST_P(CpuNetworks, MatchTheReference) {
  VULTUS_NEED_SHARED(model, std::string("models/") + GetParam().model + ".onnx");
  const char* with_input = GetParam().input_arrays ? GetParam().input_arrays : GetParam().arrays;
  VULTUS_NEED_SHARED(input_path, std::string("reference/") + with_input + ".npz");
  VULTUS_NEED_SHARED(arrays_path, std::string("reference/") + GetParam().arrays + ".npz");
  auto given = test::read_npz(input_path), expected = test::read_npz(arrays_path);

  // The input is the array that no output is named after.
  ShapeBindings shapes;
  for (auto& [name, tensor] : given)
    if (name == "input" || name == "input0") shapes[name] = tensor.shape();
  auto graph = import_onnx(model, shapes);
  ASSERT_TRUE(graph) << graph.error().what;
  auto optimised = optimise(*graph);
  ASSERT_TRUE(optimised) << optimised.error().what;
  ASSERT_EQ(graph->inputs.size(), 1u);
  std::string input = graph->value(graph->inputs[0]).name;
  ASSERT_TRUE(given.contains(input)) << input;

  auto device = open_cpu(2);
  ASSERT_TRUE(device);
  auto outputs = test::run_on(**device, *graph, {&given.at(input)});
  ASSERT_TRUE(outputs) << outputs.error().what;
  for (size_t i = 0; i < outputs->size(); ++i) {
    const std::string& name = graph->value(graph->outputs[i]).name;
    ASSERT_TRUE(expected.contains(name)) << name;
    const Tensor &got = (*outputs)[i], &wanted = expected.at(name);
    ASSERT_EQ(got.shape(), wanted.shape()) << name;
    if (got.dtype() == DType::f32) {
      if (largest_difference(got, wanted) > GetParam().absolute) {
        EXPECT_LE(test::relative_l2(got.as<float>(), wanted.as<float>()), kTolerance) << name;
      }
    } else {
      ASSERT_EQ(got.dtype(), wanted.dtype()) << name;
      EXPECT_TRUE(std::equal(got.bytes(), got.bytes() + got.size_bytes(), wanted.bytes())) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Reference, CpuNetworks,
    testing::Values(
        Reference{"retinaface_mnet025_640x640", "retinaface_mnet025_640x640.obama"},
        Reference{"retinaface_mnet025_dynamic", "retinaface_mnet025_dynamic.head_pose_480x270"},
        Reference{"retinaface_mnet025_dynamic", "retinaface_mnet025_dynamic.batch2_321x241"},
        Reference{"pfld98_ghostone_112", "pfld98_ghostone_112.astronaut"},
        Reference{"pfld98_ghostone_112", "pfld98_ghostone_112.two_people"},
        Reference{"pfld98_ghostnet_112", "pfld98_ghostnet_112.astronaut"},
        Reference{"pfld98_ghostnet_112", "pfld98_ghostnet_112.two_people"},
        Reference{"star98_256_seeded", "star98_256_seeded.astronaut"},
        // Its objectness is a sigmoid of -21 to -6, where ONNX Runtime's is off by 1e-6.
        Reference{"face_detection_yunet_2023mar", "face_detection_yunet_2023mar.astronaut", nullptr,
                  2e-6},
        Reference{"version-RFB-320", "version-RFB-320.two_people"}),
    [](const auto& info) {
      std::string name = info.param.arrays;
      for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
      return name;
    });

}  // namespace
}  // namespace vultus
