#include "host/cpu/threads.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace vultus {
namespace {

namespace fs = std::filesystem;

/// A folder of control groups in the way /sys/fs/cgroup has them.
class Groups : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    root = fs::temp_directory_path() / ("vultus_groups_" + name + std::to_string(::getpid()));
    fs::create_directories(root);
  }
  void TearDown() override { fs::remove_all(root); }
  void write(const std::string& file, const std::string& text) {
    fs::create_directories((root / file).parent_path());
    std::ofstream(root / file) << text;
  }
  int quota(const std::string& groups) { return cpu::quota_of_groups(root.string(), groups); }

  fs::path root;
};

TEST_F(Groups, NoFilesAreNoLimit) {
  EXPECT_EQ(quota("0::/\n"), 0);
  EXPECT_EQ(quota("0::/a/b\n3:cpu,cpuacct:/c\n"), 0);
  EXPECT_EQ(quota("nonsense\n0::\n"), 0);
}

TEST_F(Groups, TheLowestQuotaOfAGroupAndThoseAroundItCounts) {
  write("cpu.max", "max 100000\n");
  write("slice/cpu.max", "300000 100000\n");
  write("slice/service/cpu.max", "800000 100000\n");
  EXPECT_EQ(quota("0::/slice/service\n"), 3);
  EXPECT_EQ(quota("0::/slice\n"), 3);
  EXPECT_EQ(quota("0::/other\n"), 0);
}

TEST_F(Groups, AContainerSeesItsOwnQuotaAtTheRoot) {
  write("cpu.max", "150000 100000\n");
  EXPECT_EQ(quota("0::/docker/0123\n"), 2);
}

TEST_F(Groups, VersionOneIsReadWhereItsControllerIsMounted) {
  write("cpu,cpuacct/job/cpu.cfs_quota_us", "400000\n");
  write("cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("9:cpuset:/job\n4:cpu,cpuacct:/job\n"), 4);
  EXPECT_EQ(quota("9:cpuset:/job\n"), 0);
  write("cpu/cpu.cfs_quota_us", "-1\n");
  write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("1:cpu:/\n"), 0);
}

}  // namespace
}  // namespace vultus
