#include "host/run/speed.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "host/run/device.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;

class SpeedFolder : public testing::Test {
 protected:
  double gflops_of(const std::string& key, bool again = false) {
    return cached_speed(folder, key, again,
                        [&]() -> Result<DeviceSpeed> {
                          return DeviceSpeed{100.0 + ++measured, 10, 1, 2, 3};
                        })
        ->gflops;
  }
  const test::TemporaryFolder temporary;
  const std::string folder = temporary.path();
  int measured = 0;
};

TEST_F(SpeedFolder, ADeviceIsMeasuredOnce) {
  EXPECT_EQ(gflops_of("one"), 101);
  EXPECT_EQ(gflops_of("one"), 101);
  EXPECT_EQ(gflops_of("two"), 102);
  EXPECT_EQ(measured, 2);
}

TEST_F(SpeedFolder, TheBestOfSeveralMeasurementsIsKept) {
  EXPECT_EQ(gflops_of("one"), 101);
  EXPECT_EQ(gflops_of("one", true), 102);
  measured = -50;
  EXPECT_EQ(gflops_of("one", true), 102);
}

TEST_F(SpeedFolder, ADamagedFileIsMeasuredAnew) {
  gflops_of("one");
  for (const auto& file : fs::directory_iterator(folder))
    std::ofstream(file.path()) << "rubbish";
  EXPECT_EQ(gflops_of("one"), 102);
  EXPECT_EQ(gflops_of("one"), 102);
}

TEST_F(SpeedFolder, AFailedMeasurementIsNotKept) {
  auto failing = cached_speed(folder, "one", false, []() -> Result<DeviceSpeed> {
    return Error{Errc::device_lost, "gone"};
  });
  EXPECT_FALSE(failing);
  EXPECT_EQ(gflops_of("one"), 101);
}

TEST(CpuSpeed, IsPositive) {
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu);
  const test::TemporaryFolder temporary;
  const std::string& folder = temporary.path();
  setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  auto speed = (*cpu)->speed();
  ASSERT_TRUE(speed) << speed.error().what;
  EXPECT_GT(speed->gflops, 0);
  EXPECT_GT(speed->copy_gb_per_s, 0);
}

}  // namespace
}  // namespace vultus
