#pragma once

#include <optional>

#include "host/graph/fused.hpp"
#include "tests/support/op_case.hpp"

namespace vultus::test {

/// A convolution of odd kernel and kept size with everything that an epilogue may have.
struct ConvEpilogueCase {
  uint32_t seed = 0;
  int64_t batch = 1, in = 8, out = 8, h = 6, w = 6, kernel = 1;
  bool depthwise = false, residual = false;
  struct Addend {
    int64_t factor_h = 1, factor_w = 1;
    bool shared = false, last = false;
  };
  std::optional<Addend> addend{};
  Epilogue activation{};
  std::optional<Epilogue> second{};

  std::string str() const;
};

/// Any combination, sizes up to 12.
ConvEpilogueCase random_conv_epilogue(uint32_t seed);
OpCase as_op_case(const ConvEpilogueCase& c);
/// One element of output 0 or 1 of `as_op_case(c)`, summed naively in double.
double conv_epilogue_reference(const ConvEpilogueCase& c, const OpCase& what, size_t output,
                               const Index& at);

}  // namespace vultus::test
