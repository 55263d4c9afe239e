#include "tests/support/batches.hpp"
#include "tests/support/gpu.hpp"

namespace vultus::test {
namespace {

void on_gpu(const char* model, Precision precision, const std::vector<int64_t>& batches,
            const std::map<std::string, Shape>& shapes = {}) {
  VULTUS_NEED_GPU(gpu);
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  // In halves a sum in another order may round to the neighbour.
  const double tolerance = precision == Precision::fp32 ? 1e-5 : 5e-3;
  expect_batches(model, {&gpu, cpu->get()}, precision, batches, shapes, tolerance);
}

TEST(GpuBatches, OfStarGiveWhatSinglesGive) {
  on_gpu("star98_256_seeded", Precision::fp16, {2});
}
TEST(GpuBatches, OfMtlGiveWhatSinglesGive) {
  on_gpu("mtl_efficientnet_b0_224_seeded", Precision::fp32, {2, 5});
}
TEST(GpuBatches, OfRetinaFaceGiveWhatSinglesGive) {
  for (Precision precision : {Precision::fp32, Precision::fp16})
    on_gpu("retinaface_mnet025_dynamic", precision, {1, 2, 5, 16}, {{"input", {1, 3, 96, 64}}});
}
TEST(GpuBatches, OfLandmarksGiveWhatSinglesGive) {
  on_gpu("pfld98_ghostone_112", Precision::fp16, {2, 5});
}

}  // namespace
}  // namespace vultus::test
