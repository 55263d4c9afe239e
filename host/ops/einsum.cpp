#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

struct Equation {
  std::vector<std::string> operands;
  std::string output;
  std::map<char, int64_t> size;
};

Result<Equation> parse(const Node& node, const std::vector<Shape>& shapes) {
  std::string text = node.text("equation", "");
  std::erase(text, ' ');
  Equation e;
  const size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  for (size_t at = 0; at <= left.size();) {
    const size_t comma = std::min(left.find(',', at), left.size());
    e.operands.push_back(left.substr(at, comma - at));
    at = comma + 1;
  }
  std::map<char, int> uses;
  for (const std::string& labels : e.operands)
    for (char c : labels) {
      if (!std::isalpha(static_cast<unsigned char>(c)))
        return fail(node, fmt::format("equation '{}': only letters are supported as labels", text));
      ++uses[c];
    }
  if (arrow != std::string::npos)
    e.output = text.substr(arrow + 2);
  else
    for (auto [c, n] : uses)
      if (n == 1) e.output += c;
  for (char c : e.output)
    if (!uses.contains(c) || std::ranges::count(e.output, c) != 1)
      return fail(node, fmt::format("equation '{}': output label '{}' must occur once there and in "
                                    "an input",
                                    text, c));
  if (e.operands.size() != shapes.size())
    return fail(node, fmt::format("equation '{}' has {} operands, the node {}", text,
                                  e.operands.size(), shapes.size()));
  for (size_t i = 0; i < shapes.size(); ++i) {
    const std::string& labels = e.operands[i];
    if (labels.size() != static_cast<size_t>(shapes[i].rank()))
      return fail(node, fmt::format("equation '{}': '{}' does not fit shape {}", text, labels,
                                    shapes[i].str()));
    for (size_t d = 0; d < labels.size(); ++d) {
      const int64_t size = shapes[i][static_cast<int>(d)];
      int64_t& known = e.size.try_emplace(labels[d], size).first->second;
      if (known != size && known != 1 && size != 1)
        return fail(node, fmt::format("equation '{}': label '{}' has sizes {} and {}", text,
                                      labels[d], known, size));
      if (known == 1) known = size;
    }
  }
  return e;
}

// Step of an operand along a label: repeated labels (a diagonal) add up, sizes of 1 repeat.
int64_t stride_of(char label, const std::string& labels, const Shape& shape) {
  const Shape strides = shape.strides();
  int64_t sum = 0;
  for (size_t d = 0; d < labels.size(); ++d)
    if (labels[d] == label && shape[static_cast<int>(d)] != 1) sum += strides[static_cast<int>(d)];
  return sum;
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 2));
  std::vector<Shape> shapes;
  for (size_t i = 0; i < node.inputs(); ++i) {
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
    shapes.push_back(node.shape(i));
  }
  VULTUS_TRY(Equation e, parse(node.node(), shapes));
  std::vector<int64_t> dims;
  for (char c : e.output)
    dims.push_back(e.size.at(c));
  VULTUS_TRY(Shape out, node.make_shape(dims));
  return node.set(0, DType::f32, out);
}

// Offsets of both operands at position i of a walk.
std::array<int64_t, 2> offsets(const Walk<2>& walk, int64_t i) {
  std::array<int64_t, 2> at{};
  for (size_t d = walk.dims.size(); d-- > 0;) {
    for (size_t k = 0; k < 2; ++k)
      at[k] += i % walk.dims[d] * walk.strides[k][d];
    i /= walk.dims[d];
  }
  return at;
}

// Sums products over `summed`, for every position of `kept`.
void contract(const Eval& node, const Walk<2>& kept, const Walk<2>& summed) {
  // One operand is multiplied by a single 1 that repeats.
  const float one = 1;
  const float* a = node.in[0].as<const float>().data();
  const float* b = node.in.size() > 1 ? node.in[1].as<const float>().data() : &one;
  const int64_t terms = summed.elements();
  const int64_t inner = summed.dims.empty() ? 1 : summed.dims.back();
  const int64_t step_a = summed.dims.empty() ? 0 : summed.strides[0].back();
  const int64_t step_b = summed.dims.empty() ? 0 : summed.strides[1].back();
  auto out = node.out[0].as<float>();
  parallel_for(static_cast<int64_t>(out.size()), terms, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const auto base = offsets(kept, o);
      double sum = 0;
      for (int64_t t = 0; t < terms; t += inner) {
        const auto at = offsets(summed, t);
        const float *x = a + base[0] + at[0], *y = b + base[1] + at[1];
        for (int64_t i = 0; i < inner; ++i)
          sum += static_cast<double>(x[i * step_a]) * static_cast<double>(y[i * step_b]);
      }
      out[static_cast<size_t>(o)] = static_cast<float>(sum);
    }
  });
}

Result<Prepared> prepare(const Eval& node) {
  std::vector<Shape> shapes;
  for (const TensorView& x : node.in)
    shapes.push_back(x.shape);
  VULTUS_TRY(Equation e, parse(node.node, shapes));
  Walk<2> kept, summed;
  auto add = [&](Walk<2>& walk, char c) {
    const int64_t second = node.in.size() > 1 ? stride_of(c, e.operands[1], shapes[1]) : 0;
    walk.add(e.size.at(c), {stride_of(c, e.operands[0], shapes[0]), second});
  };
  for (char c : e.output)
    add(kept, c);
  for (auto [c, size] : e.size)
    if (e.output.find(c) == std::string::npos) add(summed, c);
  return Prepared{[=](Eval& run) -> Result<void> {
    contract(run, kept, summed);
    return {};
  }};
}

int64_t macs(const Graph& graph, const Node& node) {
  std::vector<Shape> shapes;
  for (ValueId v : node.inputs)
    shapes.push_back(graph.shape(v));
  auto e = parse(node, shapes);
  if (!e || shapes.size() < 2) return 0;
  int64_t product = 1;
  for (auto [c, size] : e->size)
    product *= size;
  return product;
}

const Register einsum({.name = "Einsum",
                       .since = 12,
                       .infer = infer,
                       .prepare = prepare,
                       .macs = macs,
                       .limits = "one or two float32 operands, no ellipsis"});

}  // namespace
}  // namespace vultus
