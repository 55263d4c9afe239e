#include <gtest/gtest.h>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

TEST(GpuDepthToSpace, BothOrdersOfChannels) {
  VULTUS_NEED_GPU(device);
  for (const char* mode : {"DCR", "CRD"})
    for (int64_t block : {2, 3})
      for (int64_t channels : {3, 8}) {
        SCOPED_TRACE(std::string(mode) + " block " + std::to_string(block));
        Tensor x = test::random_halves({2, channels * block * block, 3, 5}, 1);
        test::OpCase what{.op = "DepthToSpace",
                          .attributes = {{"blocksize", block}, {"mode", std::string(mode)}}};
        what.operands.push_back({x.clone()});
        what.tolerance_fp32 = what.tolerance_fp16 = 0;  // a copy
        bool crd = std::string(mode) == "CRD";
        test::expect_op(device, what, [&](size_t, const test::Index& i) {
          int64_t cell = i[2] % block * block + i[3] % block;
          int64_t from = crd ? i[1] * block * block + cell : cell * channels + i[1];
          return test::element(x, {i[0], from, i[2] / block, i[3] / block});
        });
      }
}

}  // namespace
}  // namespace vultus
