#include "tests/models/reference_faces.hpp"
#include "tests/support/gpu.hpp"

namespace vultus::face {
namespace {

// Goal A1 end to end: no face lost, none added, boxes and points where ONNX Runtime's fp32 puts
// them.
TEST(GpuFaces, PicturesGiveTheReferenceFacesAndPointsInFp16) {
  VULTUS_NEED_GPU(gpu);
  expect_reference_pictures({{&gpu}, Precision::fp16, {}});
}

TEST(GpuFaces, ClipsGiveTheReferenceFacesAndPointsInFp16) {
  VULTUS_NEED_GPU(gpu);
  expect_reference_clips({{&gpu}, Precision::fp16, {}});
}

}  // namespace
}  // namespace vultus::face
