#include "tests/support/networks.hpp"

namespace vultus::test {
namespace {

class CpuNetworks : public testing::TestWithParam<ReferenceNetwork> {};

// Goal A2: fp32 within 1e-5 of ONNX Runtime.
TEST_P(CpuNetworks, MatchTheReference) {
  auto cpu = open_cpu(2);
  ASSERT_TRUE(cpu) << cpu.error().what;
  ReferenceRun run;
  run_reference(GetParam(), {cpu->get()}, Precision::fp32, run);
  if (run.session) expect_close(run, 1e-5, GetParam().absolute);
}

INSTANTIATE_TEST_SUITE_P(Reference, CpuNetworks, testing::ValuesIn(reference_networks()),
                         [](const auto& info) { return info.param.test_name(); });

}  // namespace
}  // namespace vultus::test
