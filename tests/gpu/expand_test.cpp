#include <gtest/gtest.h>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

TEST(GpuExpand, RepeatsAxesOfLengthOne) {
  VULTUS_NEED_GPU(device);
  struct Case {
    Shape from, to;
  };
  for (const Case& c :
       {Case{{1, 1, 3, 5}, {1, 11, 3, 5}}, Case{{2, 11, 1, 1}, {2, 11, 3, 5}}, Case{{5}, {2, 3, 5}},
        Case{{8, 1}, {8, 24}}, Case{{1, 9, 3, 1}, {2, 9, 3, 4}}, Case{{3, 5}, {1, 2, 3, 5}},
        Case{{1, 4, 2, 2}, {2, 1, 4, 2, 2}}}) {
    SCOPED_TRACE(c.from.str() + " to " + c.to.str());
    Tensor x = test::random_halves(c.from, 1);
    test::OpCase what{.op = "Expand"};
    what.operands.push_back({x.clone()});
    what.operands.push_back(test::constant(Tensor::of<int64_t>({c.to.rank()}, c.to.dims())));
    test::expect_op(device, what,
                    [&](size_t, const test::Index& i) { return test::broadcast_element(x, i); });
  }
}

TEST(GpuTile, RepeatsWholeAxes) {
  VULTUS_NEED_GPU(device);
  struct Case {
    Shape from;
    std::vector<int64_t> times;
  };
  for (const Case& c :
       {Case{{1, 3, 2, 5}, {1, 1, 2, 3}}, Case{{1, 3, 2, 5}, {1, 4, 1, 1}},
        Case{{1, 8, 2, 2}, {2, 3, 1, 1}}, Case{{2, 3}, {2, 2}}, Case{{1, 1, 4, 4}, {1, 9, 1, 1}}}) {
    SCOPED_TRACE(c.from.str() + " times " + ::testing::PrintToString(c.times));
    Tensor x = test::random_halves(c.from, 1);
    test::OpCase what{.op = "Tile"};
    what.operands.push_back({x.clone()});
    what.operands.push_back(
        test::constant(Tensor::of<int64_t>({static_cast<int64_t>(c.times.size())}, c.times)));
    test::expect_op(device, what, [&](size_t, test::Index i) {
      for (size_t d = 0; d < i.size(); ++d)
        i[d] %= c.from[static_cast<int>(d)];
      return test::element(x, i);
    });
  }
}

}  // namespace
}  // namespace vultus
