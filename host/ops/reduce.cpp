#include <fmt/format.h>

#include <cmath>

#include "host/ops/arithmetic.hpp"
#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

// Axes moved from an attribute to an input in opset 13 for ReduceSum, in 18 for the others.
bool axes_are_input(const Node& node) {
  return node.opset >= (node.op == "ReduceSum" ? 13 : 18);
}

// Per axis of the input whether it goes. With noop_with_empty_axes none does: every element is
// reduced by itself, as other runtimes have it.
std::vector<bool> reduced_axes(const Node& node, const std::vector<int64_t>& list, int rank) {
  const bool all =
      list.empty() && !(axes_are_input(node) && node.integer("noop_with_empty_axes", 0) != 0);
  std::vector<bool> gone(static_cast<size_t>(rank), all);
  for (int64_t a : list)
    gone[static_cast<size_t>(a < 0 ? a + rank : a)] = true;
  return gone;
}

Result<void> infer(Infer& node) {
  const bool input = axes_are_input(node.node());
  VULTUS_CHECK(node.expect_inputs(1, input ? 2 : 1));
  const std::string& op = node.node().op;
  const bool orders = op == "ReduceMax" || op == "ReduceMin";
  if (!(orders && node.node().opset >= 20 && node.dtype(0) == DType::boolean))
    VULTUS_CHECK(node.expect_type(0, {DType::f32, DType::f64, DType::i32, DType::i64}));
  std::vector<int64_t> list = node.node().integers("axes");
  if (input) {
    list.clear();
    if (node.has(1)) {
      VULTUS_TRY(list, node.integers(1, "axes"));
    }
  }
  const Shape& x = node.shape(0);
  VULTUS_CHECK(node.axes(list, x.rank()));
  const std::vector<bool> reduced = reduced_axes(node.node(), list, x.rank());
  const bool keep = node.node().integer("keepdims", 1) != 0;
  const bool needs_elements = orders || op == "ReduceMean";
  Shape out;
  for (int d = 0; d < x.rank(); ++d) {
    const bool gone = reduced[static_cast<size_t>(d)];
    if (gone && x[d] == 0 && needs_elements)
      return node.fail(fmt::format("axis {} has size 0, so there is nothing to reduce", d));
    if (!gone || keep) out.push_back(gone ? 1 : x[d]);
  }
  return node.set(0, node.dtype(0), out);
}

// Each reduction: a start, a step and what happens to the sum of n elements at the end. Integers
// wrap, floats accumulate in double.
struct Sum {
  template <class A>
  static A start() {
    return A{0};
  }
  template <class A>
  static A step(A sum, A x) {
    return add(sum, x);
  }
  template <class A>
  static A finish(A sum, int64_t) {
    return sum;
  }
};
struct Mean : Sum {
  template <class A>
  static A finish(A sum, int64_t n) {
    return sum / static_cast<A>(n);
  }
};
struct Prod : Sum {
  template <class A>
  static A start() {
    return A{1};
  }
  template <class A>
  static A step(A product, A x) {
    return multiply(product, x);
  }
};
struct Max : Sum {
  template <class A>
  static A start() {
    if constexpr (std::is_integral_v<A>) return std::numeric_limits<A>::min();
    return -std::numeric_limits<A>::infinity();
  }
  template <class A>
  static A step(A best, A x) {
    return x > best || x != x ? x : best;
  }
};
struct Min : Sum {
  template <class A>
  static A start() {
    if constexpr (std::is_integral_v<A>) return std::numeric_limits<A>::max();
    return std::numeric_limits<A>::infinity();
  }
  template <class A>
  static A step(A best, A x) {
    return x < best || x != x ? x : best;
  }
};
struct L1 : Sum {
  template <class A>
  static A step(A sum, A x) {
    return add(sum, x < 0 ? subtract(A{0}, x) : x);
  }
};
struct SumSquare : Sum {
  template <class A>
  static A step(A sum, A x) {
    return add(sum, multiply(x, x));
  }
};
template <class A>
A rounded(double x) {
  if constexpr (std::is_integral_v<A>)
    return saturate<A>(x);
  else
    return x;
}
struct L2 : SumSquare {
  template <class A>
  static A finish(A sum, int64_t) {
    return rounded<A>(std::sqrt(static_cast<double>(sum)));
  }
};
struct LogSum : Sum {
  template <class A>
  static A finish(A sum, int64_t) {
    return rounded<A>(std::log(static_cast<double>(sum)));
  }
};

// Walks the axes that stay (array 0: input) and those that go, separately.
struct Split {
  Walk<1> kept, gone;
  int64_t outputs = 1, reduced = 1;
};

Split split(const Shape& x, const std::vector<bool>& reduced) {
  Split s;
  const Shape strides = x.strides();
  for (int d = 0; d < x.rank(); ++d) {
    const bool gone = reduced[static_cast<size_t>(d)];
    (gone ? s.gone : s.kept).add(x[d], {strides[d]});
    (gone ? s.reduced : s.outputs) *= x[d];
  }
  return s;
}

int64_t offset_of(const Walk<1>& walk, int64_t i) {
  int64_t at = 0;
  for (size_t d = walk.dims.size(); d-- > 0;) {
    at += i % walk.dims[d] * walk.strides[0][d];
    i /= walk.dims[d];
  }
  return at;
}

template <class Visit>
void for_each(const Walk<1>& walk, int64_t count, const Visit& visit) {
  const int64_t inner = walk.dims.empty() ? 1 : walk.dims.back();
  const int64_t step = walk.dims.empty() ? 0 : walk.strides[0].back();
  for (int64_t i = 0; i < count; i += inner) {
    const int64_t at = offset_of(walk, i);
    for (int64_t k = 0; k < inner; ++k)
      visit(at + k * step);
  }
}

template <class R, class T>
void reduce(const Split& s, const T* x, T* out) {
  using A = std::conditional_t<std::is_integral_v<T>, int64_t, double>;
  parallel_for(s.outputs, s.reduced, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const T* from = x + offset_of(s.kept, o);
      A sum = R::template start<A>();
      for_each(s.gone, s.reduced,
               [&](int64_t at) { sum = R::template step<A>(sum, static_cast<A>(from[at])); });
      out[o] = static_cast<T>(R::template finish<A>(sum, s.reduced));
    }
  });
}

template <class T>
void reduce_log_sum_exp(const Split& s, const T* x, T* out) {
  parallel_for(s.outputs, 8 * s.reduced, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const T* from = x + offset_of(s.kept, o);
      double best = -std::numeric_limits<double>::infinity(), sum = 0;
      for_each(s.gone, s.reduced,
               [&](int64_t at) { best = std::max(best, static_cast<double>(from[at])); });
      // An infinite maximum would make inf - inf.
      const double shift = std::isfinite(best) ? best : 0;
      for_each(s.gone, s.reduced,
               [&](int64_t at) { sum += std::exp(static_cast<double>(from[at]) - shift); });
      out[o] = saturate<T>(shift + std::log(sum));
    }
  });
}

template <class Body>
Result<Prepared> prepare_with(const Eval& node, const Body& body) {
  const Node& n = node.node;
  const Shape& x = node.in[0].shape;
  const Split s = split(
      x, reduced_axes(n, axes_are_input(n) ? node.integers(1) : n.integers("axes"), x.rank()));
  return Prepared{[=](Eval& run) -> Result<void> {
    auto with = [&]<class T>() {
      body.template operator()<T>(s, reinterpret_cast<const T*>(run.in[0].bytes),
                                  reinterpret_cast<T*>(run.out[0].bytes));
    };
    if (run.in[0].dtype == DType::boolean)
      with.template operator()<uint8_t>();  // of 0 or 1
    else
      visit_number(run.in[0].dtype, with);
    return {};
  }};
}

template <class R>
Result<Prepared> prepare(const Eval& node) {
  return prepare_with(node,
                      []<class T>(const Split& s, const T* x, T* out) { reduce<R, T>(s, x, out); });
}

Result<Prepared> prepare_log_sum_exp(const Eval& node) {
  return prepare_with(
      node, []<class T>(const Split& s, const T* x, T* out) { reduce_log_sum_exp<T>(s, x, out); });
}

const Register sum({.name = "ReduceSum", .infer = infer, .prepare = prepare<Sum>});
const Register mean({.name = "ReduceMean", .infer = infer, .prepare = prepare<Mean>});
const Register prod({.name = "ReduceProd", .infer = infer, .prepare = prepare<Prod>});
const Register max({.name = "ReduceMax", .infer = infer, .prepare = prepare<Max>});
const Register min({.name = "ReduceMin", .infer = infer, .prepare = prepare<Min>});
const Register l1({.name = "ReduceL1", .infer = infer, .prepare = prepare<L1>});
const Register l2({.name = "ReduceL2", .infer = infer, .prepare = prepare<L2>});
const Register sum_square({.name = "ReduceSumSquare",
                           .infer = infer,
                           .prepare = prepare<SumSquare>});
const Register log_sum({.name = "ReduceLogSum", .infer = infer, .prepare = prepare<LogSum>});
const Register log_sum_exp({.name = "ReduceLogSumExp",
                            .infer = infer,
                            .prepare = prepare_log_sum_exp});

}  // namespace
}  // namespace vultus
