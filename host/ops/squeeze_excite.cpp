#include "host/ops/squeeze_excite.hpp"

#include <fmt/format.h>

#include <span>

#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 5));
  if (!node.has(3)) return node.fail("the excite weights are missing");
  for (size_t i = 0; i < 5; ++i)
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  const Shape& x = node.shape(0);
  if (x.rank() != 4 || x[2] * x[3] == 0)
    return node.fail(fmt::format("input {} is no image of at least one pixel", x.str()));
  const Shape& squeeze = node.shape(1);
  if (squeeze.rank() != 4 || squeeze != Shape{squeeze[0], x[1], 1, 1})
    return node.fail(
        fmt::format("squeeze weights {} do not take {} channels", squeeze.str(), x[1]));
  if (node.shape(3) != Shape{x[1], squeeze[0], 1, 1})
    return node.fail(fmt::format("excite weights have shape {}, expected {}x{}x1x1",
                                 node.shape(3).str(), x[1], squeeze[0]));
  if (node.has(2) && node.shape(2) != Shape{squeeze[0]})
    return node.fail(fmt::format("squeeze bias has shape {}", node.shape(2).str()));
  if (node.has(4) && node.shape(4) != Shape{x[1]})
    return node.fail(fmt::format("excite bias has shape {}", node.shape(4).str()));
  return node.set(0, DType::f32, {x[0], x[1], 1, 1});
}

/// activation(weights [outs, ins] * x + bias)
void layer(const Eval& node, size_t weights, std::span<const double> x, const Epilogue& epilogue,
           std::span<double> out) {
  const auto w = node.in[weights].as<const float>();
  for (size_t o = 0; o < out.size(); ++o) {
    double sum = 0;
    if (node.has(weights + 1)) sum = static_cast<double>(node.in[weights + 1].as<const float>()[o]);
    for (size_t i = 0; i < x.size(); ++i)
      sum += static_cast<double>(w[o * x.size() + i]) * x[i];
    out[o] = static_cast<double>(apply(epilogue, static_cast<float>(sum)));
  }
}

Result<void> run(Eval& node) {
  const Shape& shape = node.in[0].shape;
  const auto channels = static_cast<size_t>(shape[1]);
  const auto points = static_cast<size_t>(shape[2] * shape[3]);
  const auto x = node.in[0].as<const float>();
  auto out = node.out[0].as<float>();
  const std::span means(reinterpret_cast<double*>(node.scratch), channels);
  const std::span gates(means.data() + channels, channels);
  const std::span squeezed(gates.data() + channels, static_cast<size_t>(node.in[1].shape[0]));
  for (size_t n = 0; n < static_cast<size_t>(shape[0]); ++n) {
    for (size_t c = 0; c < channels; ++c) {
      means[c] = 0;
      for (float v : x.subspan((n * channels + c) * points, points))
        means[c] += static_cast<double>(v);
      means[c] /= static_cast<double>(points);
    }
    layer(node, 1, means, squeeze_epilogue_of(node.node), squeezed);
    layer(node, 3, squeezed, epilogue_of(node.node), gates);
    for (size_t c = 0; c < channels; ++c)
      out[n * channels + c] = static_cast<float>(gates[c]);
  }
  return {};
}

Result<Prepared> prepare(const Eval& node) {
  const int64_t numbers = 2 * node.in[0].shape[1] + node.in[1].shape[0];
  return Prepared{run, numbers * int64_t{sizeof(double)}};
}

int64_t macs(const Graph& graph, const Node& node) {
  return graph.shape(node.inputs[0])[0] * 2 * graph.shape(node.inputs[1]).elements();
}

const Register squeeze_excite(
    {.name = "SqueezeExcite",
     .infer = infer,
     .prepare = prepare,
     .build = cpu::build_squeeze_excite,
     .macs = macs,
     .limits = "ours: GlobalAveragePool and two 1x1 convolutions with their activations"});

}  // namespace
}  // namespace vultus
