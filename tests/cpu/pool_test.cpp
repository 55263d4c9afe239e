#include "tests/cpu/net.hpp"

namespace vultus {
namespace {

using test::Net;

TEST(CpuPools, AnyRankRuns) {
  for (const char* op : {"MaxPool", "AveragePool"})
    for (int spatial = 1; spatial <= 4; ++spatial) {
      Net net;
      Shape shape{1, 2};
      for (int i = 0; i < spatial; ++i)
        shape.push_back(4);
      ValueId x = net.input(shape, 1);
      net.output(net.node(
          op, {x}, {{"kernel_shape", std::vector<int64_t>(static_cast<size_t>(spatial), 2)}}));
      net.expect_agreement(1e-6, std::string(op) + " of " + shape.str());
    }
}

}  // namespace
}  // namespace vultus
