#include <cstdlib>
#include <filesystem>

#include "tests/support/gpu.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;

TEST(GpuSpeed, IsMeasuredOnceAndKept) {
  VULTUS_NEED_GPU(shared);
  (void)shared;
  const test::TemporaryFolder temporary;
  const std::string& folder = temporary.path();
  gpu::OpenOptions options;
  options.selector = "llvmpipe";
  options.validation = gpu::validation_available();
  options.cache_folder = folder;
  auto device = gpu::open(options);
  ASSERT_TRUE(device) << device.error().what;
  auto first = (*device)->speed();
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_GT(first->gflops, 0);
  EXPECT_GT(first->copy_gb_per_s, 0);
  EXPECT_GT(first->submit_us, 0);
  EXPECT_GE(first->dependent_us, 0);
  auto again = (*device)->speed();
  ASSERT_TRUE(again);
  EXPECT_EQ(first->gflops, again->gflops) << "equal to the last digit, so not measured anew";
  for (const std::string& message : gpu::take_validation_messages(**device))
    ADD_FAILURE() << message;
}

}  // namespace
}  // namespace vultus
