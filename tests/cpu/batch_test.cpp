#include "tests/support/batches.hpp"

namespace vultus::test {
namespace {

// Another batch may take another kernel, which sums in another order.
constexpr double kRounding = 1e-5;

void on_cpu(const char* model, const std::vector<int64_t>& batches,
            const std::map<std::string, Shape>& shapes = {}) {
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  expect_batches(model, {cpu->get()}, Precision::fp32, batches, shapes, kRounding);
}

TEST(CpuBatches, OfStarGiveWhatSinglesGive) {
  on_cpu("star98_256_seeded", {2, 5});
}
TEST(CpuBatches, OfMtlGiveWhatSinglesGive) {
  on_cpu("mtl_efficientnet_b0_224_seeded", {1, 2, 5, 16});
}
TEST(CpuBatches, OfTheTracedMtlGiveWhatSinglesGive) {
  on_cpu("mtl_efficientnet_b0_224_seeded_traced", {2});
}
TEST(CpuBatches, OfRetinaFaceGiveWhatSinglesGive) {
  on_cpu("retinaface_mnet025_640x640", {2});
  on_cpu("retinaface_mnet025_dynamic", {1, 2, 5, 16}, {{"input", {1, 3, 160, 128}}});
}
TEST(CpuBatches, OfLandmarksGiveWhatSinglesGive) {
  on_cpu("pfld98_ghostone_112", {2, 16});
}

}  // namespace
}  // namespace vultus::test
