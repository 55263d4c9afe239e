#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

// A tensor as lines along one axis: line i begins at i / inner * size * inner + i % inner.
struct Lines {
  int64_t count = 1, size = 1, inner = 1;
  int64_t begin(int64_t i, int64_t length) const { return i / inner * length * inner + i % inner; }
};

Lines lines_along(const Shape& x, int64_t axis) {
  axis = axis < 0 ? axis + x.rank() : axis;
  Lines l;
  for (int d = 0; d < x.rank(); ++d) {
    if (d == axis) {
      l.size = x[d];
      continue;
    }
    l.count *= x[d];
    if (d > axis) l.inner *= x[d];
  }
  return l;
}

Result<void> infer_arg(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32, DType::f64, DType::i32, DType::i64}));
  const Shape& x = node.shape(0);
  VULTUS_TRY(int axis, node.axis(node.node().integer("axis", 0), x.rank()));
  if (x[axis] == 0) return node.fail(fmt::format("axis {} of {} is empty", axis, x.str()));
  Shape out;
  for (int d = 0; d < x.rank(); ++d)
    if (d != axis || node.node().integer("keepdims", 1) != 0) out.push_back(d == axis ? 1 : x[d]);
  return node.set(0, DType::i64, out);
}

template <bool Largest>
Result<void> eval_arg(Eval& node) {
  const Lines l = lines_along(node.in[0].shape, node.node.integer("axis", 0));
  const bool last = node.node.integer("select_last_index", 0) != 0;
  visit_number(node.in[0].dtype, [&]<class T>() {
    auto x = node.in[0].as<const T>();
    auto out = node.out[0].as<int64_t>();
    parallel_for(l.count, l.size, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* line = x.data() + l.begin(i, l.size);
        int64_t best = 0;
        for (int64_t k = 1; k < l.size; ++k) {
          const T v = line[k * l.inner], b = line[best * l.inner];
          if ((Largest ? v > b : v < b) || (last && v == b)) best = k;
        }
        out[static_cast<size_t>(i)] = best;
      }
    });
  });
  return {};
}

Result<void> infer_top(Infer& node) {
  const bool input = node.node().opset >= 10;
  VULTUS_CHECK(node.expect_inputs(input ? 2 : 1, input ? 2 : 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32, DType::f64, DType::i32, DType::i64}));
  Shape out = node.shape(0);
  VULTUS_TRY(int axis, node.axis(node.node().integer("axis", -1), out.rank()));
  int64_t k = node.node().integer("k", -1);
  if (input) {
    VULTUS_TRY(auto list, node.integers(1, "k"));
    if (list.size() != 1) return node.fail(fmt::format("k has {} elements", list.size()));
    k = list[0];
  }
  if (k < 0 || k > out[axis])
    return node.fail(fmt::format("k = {} of axis {} with size {}", k, axis, out[axis]));
  out[axis] = k;
  VULTUS_CHECK(node.set(0, node.dtype(0), out));
  return node.set(1, DType::i64, out);
}

// NaN counts as larger than every number; among equals the lower index comes first.
template <class T>
bool precedes(T a, T b, int64_t i, int64_t j, bool largest) {
  const bool nan_a = a != a, nan_b = b != b;
  if (nan_a != nan_b) return nan_a == largest;
  if (nan_a || a == b) return i < j;
  return largest ? a > b : a < b;
}

template <class T>
void top(const Eval& node, bool largest) {
  const Lines l = lines_along(node.in[0].shape, node.node.integer("axis", -1));
  const int64_t k = lines_along(node.out[0].shape, node.node.integer("axis", -1)).size;
  auto x = node.in[0].as<const T>();
  T* values = reinterpret_cast<T*>(node.out[0].bytes);
  int64_t* indices = node.out.size() > 1 ? reinterpret_cast<int64_t*>(node.out[1].bytes) : nullptr;
  auto* orders = reinterpret_cast<int64_t*>(node.scratch);
  parallel_for(l.count, 8 * l.size, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* line = x.data() + l.begin(i, l.size);
      int64_t* order = orders + i * l.size;
      std::iota(order, order + l.size, 0);
      std::partial_sort(order, order + k, order + l.size, [&](int64_t a, int64_t b) {
        return precedes(line[a * l.inner], line[b * l.inner], a, b, largest);
      });
      for (int64_t n = 0; n < k; ++n) {
        const int64_t at = l.begin(i, k) + n * l.inner, from = order[n];
        if (values) values[at] = line[from * l.inner];
        if (indices) indices[at] = from;
      }
    }
  });
}

Result<Prepared> prepare_top(const Eval& node) {
  const bool largest = node.node.integer("largest", 1) != 0;
  auto kernel = [largest](Eval& run) -> Result<void> {
    visit_number(run.in[0].dtype, [&]<class T>() { top<T>(run, largest); });
    return {};
  };
  return Prepared{kernel, node.in[0].shape.elements() * int64_t{sizeof(int64_t)}};
}

const Register arg_max({.name = "ArgMax", .infer = infer_arg, .eval = eval_arg<true>});
const Register arg_min({.name = "ArgMin", .infer = infer_arg, .eval = eval_arg<false>});
const Register top_k({.name = "TopK", .infer = infer_top, .prepare = prepare_top});

}  // namespace
}  // namespace vultus
