#include "tests/support/conv_epilogue_case.hpp"

#include <fmt/format.h>

#include <random>

namespace vultus::test {

std::string ConvEpilogueCase::str() const {
  std::string text = fmt::format(
      "seed {}: {}x{}x{}x{} -> {}, kernel {}{}, residual {}, activation {}", seed, batch, in, h, w,
      out, kernel, depthwise ? " depthwise" : "", residual, static_cast<int>(activation.kind));
  if (addend)
    text += fmt::format(", addend {}x{}{}{}", addend->factor_h, addend->factor_w,
                        addend->shared ? " shared" : "", addend->last ? " last" : "");
  if (second) text += fmt::format(", second {}", static_cast<int>(second->kind));
  return text;
}

ConvEpilogueCase random_conv_epilogue(uint32_t seed) {
  std::mt19937 engine(seed);
  auto of = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine);
  };
  auto activation = [&]() -> Epilogue {
    return of(0, 1) ? Epilogue{Activation::relu} : Epilogue{};
  };
  ConvEpilogueCase c{.seed = seed, .batch = of(1, 3), .in = of(1, 20), .out = of(1, 40)};
  c.kernel = of(0, 1) ? 3 : 1;
  c.depthwise = of(0, 3) == 0;
  if (c.depthwise) c.in = c.out;
  c.residual = of(0, 1) == 0;
  c.activation = activation();
  c.h = of(1, 12);
  c.w = of(1, 12);
  if (of(0, 3) > 0) {
    c.addend = {of(1, 3), of(1, 3), of(0, 3) == 0, of(0, 1) == 0};
    c.h = c.addend->factor_h * of(1, 5);
    c.w = c.addend->factor_w * of(1, 5);
  }
  if (of(0, 3) > 0) c.second = activation();
  return c;
}

OpCase as_op_case(const ConvEpilogueCase& c) {
  OpCase what{.op = "Conv"};
  const int64_t pad = c.kernel / 2;
  Node node;
  node.attributes["pads"] = std::vector<int64_t>{pad, pad, pad, pad};
  node.attributes["group"] = c.depthwise ? c.out : int64_t{1};
  set_epilogue(node, c.activation);
  if (c.addend && c.addend->last) node.attributes["addend_last"] = int64_t{1};
  auto numbers = [&](uint32_t more) {
    Tensor t = random_halves({c.out}, c.seed + more, -1.5f, 1.5f);
    return std::vector<float>(t.as<float>().begin(), t.as<float>().end());
  };
  if (c.second) {
    set_second_output(node, {numbers(5), numbers(6), *c.second});
    what.outputs = 2;
  }
  what.attributes = std::move(node.attributes);
  what.operands.push_back({random_halves({c.batch, c.in, c.h, c.w}, c.seed)});
  what.operands.push_back(
      constant(random_halves({c.out, c.depthwise ? 1 : c.in, c.kernel, c.kernel}, c.seed + 1)));
  what.operands.push_back(constant(random_halves({c.out}, c.seed + 2)));
  what.operands.push_back(
      c.residual ? Operand{random_halves({c.batch, c.out, c.h, c.w}, c.seed + 3)} : Operand{});
  if (c.addend)
    what.operands.push_back({random_halves(
        {c.addend->shared ? 1 : c.batch, c.out, c.h / c.addend->factor_h, c.w / c.addend->factor_w},
        c.seed + 4)});
  return what;
}

double conv_epilogue_reference(const ConvEpilogueCase& c, const OpCase& what, size_t output,
                               const Index& at) {
  const int64_t n = at[0], channel = at[1], y = at[2], x = at[3], pad = c.kernel / 2;
  const int64_t ins = c.depthwise ? 1 : c.in;
  double sum = element(what.operands[2].tensor, {channel});
  for (int64_t i = 0; i < ins; ++i)
    for (int64_t ky = 0; ky < c.kernel; ++ky)
      for (int64_t kx = 0; kx < c.kernel; ++kx) {
        const int64_t iy = y + ky - pad, ix = x + kx - pad;
        if (iy < 0 || ix < 0 || iy >= c.h || ix >= c.w) continue;
        sum += element(what.operands[0].tensor, {n, c.depthwise ? channel : i, iy, ix}) *
               element(what.operands[1].tensor, {channel, i, ky, kx});
      }
  if (c.residual) sum += element(what.operands[3].tensor, at);
  double added = 0;
  if (c.addend)
    added = element(what.operands[4].tensor, {c.addend->shared ? 0 : n, channel,
                                              y / c.addend->factor_h, x / c.addend->factor_w});
  const bool last = c.addend && c.addend->last;
  double result = activated(last ? sum : sum + added, c.activation) + (last ? added : 0);
  if (output == 0) return result;
  Node node;
  node.attributes = what.attributes;
  const SecondOutput second = second_output_of(node);
  const auto at_channel = static_cast<size_t>(channel);
  return activated(static_cast<double>(second.scale[at_channel]) * result +
                       static_cast<double>(second.shift[at_channel]),
                   second.epilogue);
}

}  // namespace vultus::test
