// The published RetinaFace checkpoint against the exporter's ONNX files of the same weights.
#include "models/convert/convert.hpp"
#include "tests/convert/run_network.hpp"
#include "tests/convert/valid_onnx.hpp"

namespace vultus::test {
namespace {

/// On the reference input: the export, run by the same engine, and ONNX Runtime's results for it.
void expect_equals_export(const std::string& model, const std::string& arrays) {
  VULTUS_NEED_SHARED(checkpoint, "models/retinaface_mnet025.pth");
  VULTUS_NEED_SHARED(exported, "models/" + model + ".onnx");
  VULTUS_NEED_SHARED(npz, "reference/" + arrays + ".npz");
  auto converted = convert::convert_checkpoint(checkpoint);
  ASSERT_TRUE(converted) << converted.error().what;
  Outputs reference = read_npz(npz);
  const Tensor input = std::move(reference.extract("input").mapped());
  const Outputs got = run_bytes(converted->onnx, input);
  expect_equal(got, run_file(exported, input));
  expect_equal(got, reference);
}

TEST(ConvertRetinaFace, EqualsTheExportOfFixedSize) {
  expect_equals_export("retinaface_mnet025_640x640", "retinaface_mnet025_640x640.obama");
}

TEST(ConvertRetinaFace, EqualsTheExportOfAnySize) {
  expect_equals_export("retinaface_mnet025_dynamic",
                       "retinaface_mnet025_dynamic.head_pose_480x270");
}

TEST(ConvertRetinaFace, EqualsTheExportOnBatchesOfOddSizes) {
  expect_equals_export("retinaface_mnet025_dynamic", "retinaface_mnet025_dynamic.batch2_321x241");
}

TEST(ConvertRetinaFace, CountsTheKnownNumberOfParameters) {
  VULTUS_NEED_SHARED(checkpoint, "models/retinaface_mnet025.pth");
  auto converted = convert::convert_checkpoint(checkpoint);
  ASSERT_TRUE(converted) << converted.error().what;
  EXPECT_EQ(converted->kind, "retinaface");
  EXPECT_EQ(converted->parameters, 426'608);
  EXPECT_TRUE(converted->notes.empty());
  expect_valid_onnx(converted->onnx);
}

}  // namespace
}  // namespace vultus::test
