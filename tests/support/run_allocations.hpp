#pragma once

#include "tests/support/allocations.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {

/// Fails the running test when the network's later runs, inputs set anew each time, allocate
/// anything. Returns the requests of libraries per run.
inline int64_t expect_runs_without_allocation(const ReferenceNetwork& network,
                                              std::vector<Device*> devices, Precision precision) {
  ReferenceRun run;
  run_reference(network, std::move(devices), precision, run);
  if (!run.session) return 0;
  const std::string input = run.session->input_names()[0];
  const Value* value = *run.session->describe(input);
  Tensor x = random_tensor(value->shape, 1);
  EXPECT_TRUE(run.session->set_input(input, x.view()));
  EXPECT_TRUE(run.session->run());
  constexpr int kRuns = 2;
  AllocationCount count;
  bool ran = true;
  for (int i = 0; i < kRuns; ++i) {
    ran = ran && run.session->set_input(input, x.view());
    ran = ran && run.session->run();
  }
  count.stop();
  EXPECT_TRUE(ran);
  EXPECT_EQ(count.ours(), 0) << network.arrays << "; the first one:\n" << count.first();
  return count.of_libraries() / kRuns;
}

}  // namespace vultus::test
