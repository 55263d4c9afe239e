#include <fmt/format.h>

#include "tests/support/run_allocations.hpp"

namespace vultus::test {
namespace {

class CpuAllocations : public testing::TestWithParam<ReferenceNetwork> {};

// oneDNN makes a small table of its arguments at each primitive; that is printed, not refused.
TEST_P(CpuAllocations, ARunAllocatesNothing) {
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  int64_t others = expect_runs_without_allocation(GetParam(), {cpu->get()}, Precision::fp32);
  fmt::print("requests inside libraries: {} per run\n", others);
}

INSTANTIATE_TEST_SUITE_P(Networks, CpuAllocations, testing::ValuesIn(reference_networks()),
                         [](const testing::TestParamInfo<ReferenceNetwork>& info) {
                           return info.param.test_name();
                         });

TEST(AllocationCount, SeesAllocationsOfThisProgram) {
  AllocationCount count;
  auto* number = new int(3);
  std::string text(100, 'x');  // allocates inside the C++ run time
  count.stop();
  EXPECT_EQ(count.ours(), 2);
  EXPECT_EQ(count.of_libraries(), 0);
  EXPECT_FALSE(count.first().empty());
  delete number;
}

}  // namespace
}  // namespace vultus::test
