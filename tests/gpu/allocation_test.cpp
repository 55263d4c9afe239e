#include "tests/support/gpu.hpp"
#include "tests/support/run_allocations.hpp"

namespace vultus::test {
namespace {

class GpuAllocations : public testing::TestWithParam<ReferenceNetwork> {};

TEST_P(GpuAllocations, ARunAllocatesNothing) {
  VULTUS_NEED_GPU(gpu);
  expect_runs_without_allocation(GetParam(), {&gpu}, Precision::fp16);
}

INSTANTIATE_TEST_SUITE_P(Networks, GpuAllocations, testing::ValuesIn(reference_networks()),
                         [](const testing::TestParamInfo<ReferenceNetwork>& info) {
                           return info.param.test_name();
                         });

}  // namespace
}  // namespace vultus::test
