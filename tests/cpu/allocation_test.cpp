#include <fmt/format.h>

#include "tests/support/run_allocations.hpp"

namespace vultus::test {
namespace {

/// Plain kernels read their attributes into vectors at every run; networks that use some wait.
std::vector<ReferenceNetwork> networks_without_plain_kernels() {
  std::vector<ReferenceNetwork> networks = reference_networks();
  std::erase_if(networks, [](const ReferenceNetwork& network) {
    std::string_view model = network.model;
    return model.starts_with("star") || model.starts_with("mtl") || model.ends_with("RFB-320") ||
           model.starts_with("derived");
  });
  return networks;
}

class CpuAllocations : public testing::TestWithParam<ReferenceNetwork> {};

// oneDNN makes a small table of its arguments at each primitive; that is printed, not refused.
TEST_P(CpuAllocations, ARunAllocatesNothing) {
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  int64_t others = expect_runs_without_allocation(GetParam(), {cpu->get()}, Precision::fp32);
  fmt::print("requests inside libraries: {} per run\n", others);
}

INSTANTIATE_TEST_SUITE_P(Networks, CpuAllocations,
                         testing::ValuesIn(networks_without_plain_kernels()),
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
