#include "tests/support/networks.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "tests/support/support.hpp"

namespace vultus::test {

std::string ReferenceNetwork::test_name() const {
  std::string name = arrays;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

std::vector<ReferenceNetwork> reference_networks() {
  const char* mtl = "mtl_efficientnet_b0_224_seeded.astronaut";
  return {
      {"retinaface_mnet025_640x640", "retinaface_mnet025_640x640.obama"},
      {"retinaface_mnet025_dynamic", "retinaface_mnet025_dynamic.head_pose_480x270"},
      {"retinaface_mnet025_dynamic", "retinaface_mnet025_dynamic.batch2_321x241"},
      {"pfld98_ghostone_112", "pfld98_ghostone_112.astronaut"},
      {"pfld98_ghostone_112", "pfld98_ghostone_112.two_people"},
      {"pfld98_ghostnet_112", "pfld98_ghostnet_112.astronaut"},
      {"pfld98_ghostnet_112", "pfld98_ghostnet_112.two_people"},
      {"star98_256_seeded", "star98_256_seeded.astronaut"},
      {"mtl_efficientnet_b0_224_seeded", mtl},
      {"mtl_efficientnet_b0_224_seeded_traced", "mtl_efficientnet_b0_224_seeded_traced.astronaut",
       mtl},
      // Its objectness is a sigmoid of -21 to -6, where ONNX Runtime's own is off by 1e-6.
      {"face_detection_yunet_2023mar", "face_detection_yunet_2023mar.astronaut", nullptr, 2e-6},
      {"version-RFB-320", "version-RFB-320.two_people"},
      {"derived_version-RFB-320_opset11_nms", "derived_version-RFB-320_opset11_nms.two_people"}};
}

void run_reference(const ReferenceNetwork& network, std::vector<Device*> devices,
                   Precision precision, ReferenceRun& run) {
  const char* with_input = network.input_arrays ? network.input_arrays : network.arrays;
  VULTUS_NEED_SHARED(model, std::string("models/") + network.model + ".onnx");
  VULTUS_NEED_SHARED(input_path, std::string("reference/") + with_input + ".npz");
  VULTUS_NEED_SHARED(arrays_path, std::string("reference/") + network.arrays + ".npz");
  auto given = read_npz(input_path);
  run.expected = read_npz(arrays_path);

  SessionOptions options{.devices = std::move(devices), .precision = precision, .shapes = {}};
  for (auto& [name, tensor] : given)
    if (name.starts_with("input")) options.shapes[name] = tensor.shape();
  auto session = Session::load(model, options);
  ASSERT_TRUE(session) << session.error().what;
  ASSERT_EQ(session->input_names().size(), 1u);
  std::string input = session->input_names()[0];
  ASSERT_TRUE(given.contains(input)) << input;
  auto set = session->set_input(input, given.at(input).view());
  ASSERT_TRUE(set) << set.error().what;
  auto ran = session->run();
  ASSERT_TRUE(ran) << ran.error().what;
  run.session = std::make_unique<Session>(std::move(*session));
}

void expect_close(const ReferenceRun& run, double tolerance, double absolute) {
  std::vector<std::string> names = run.session->output_names();
  for (size_t i = 0; i < names.size(); ++i) {
    ASSERT_TRUE(run.expected.contains(names[i])) << names[i];
    const Tensor &got = run.session->output(i), &wanted = run.expected.at(names[i]);
    ASSERT_EQ(got.shape(), wanted.shape()) << names[i];
    ASSERT_EQ(got.dtype(), wanted.dtype()) << names[i];
    if (got.dtype() != DType::f32) {
      EXPECT_TRUE(std::equal(got.bytes(), got.bytes() + got.size_bytes(), wanted.bytes()))
          << names[i];
      continue;
    }
    auto a = got.as<float>(), b = wanted.as<float>();
    double largest = 0;
    for (size_t k = 0; k < a.size(); ++k)
      largest = std::max(largest, std::abs(double{a[k]} - double{b[k]}));
    if (!(largest <= absolute)) {
      EXPECT_LE(relative_l2(a, b), tolerance) << names[i] << ", largest difference " << largest;
    }
  }
}

}  // namespace vultus::test
