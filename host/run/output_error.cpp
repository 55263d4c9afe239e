#include "host/run/output_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "host/run/error_sum.hpp"

namespace vultus {

namespace {

/// Exact before it is rounded once, so that different integers never come out equal.
template <class T>
double distance(T x, T y) {
  if constexpr (std::is_floating_point_v<T>)
    return std::abs(static_cast<double>(x) - static_cast<double>(y));
  else
    return static_cast<double>(static_cast<uint64_t>(std::max(x, y)) -
                               static_cast<uint64_t>(std::min(x, y)));
}

template <class T>
void compare(const Tensor& got, const Tensor& wanted, OutputError& e) {
  const auto a = got.as<T>(), b = wanted.as<T>();
  ErrorSum sum;
  for (size_t i = 0; i < b.size(); ++i) {
    if constexpr (std::is_floating_point_v<T>)
      if (!std::isfinite(a[i]) || !std::isfinite(b[i])) {
        e.non_finite += !(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])));
        continue;
      }
    const double d = distance(a[i], b[i]), size = std::abs(static_cast<double>(b[i]));
    if (size > 0) e.max_rel = std::max(e.max_rel, d / size);
    sum.add(d, size);
  }
  e.max_abs = sum.max_abs();
  e.rel_l2 = sum.rel_l2();
  e.exact = !std::is_floating_point_v<T>;
}

}  // namespace

bool OutputError::within(double tolerance) const {
  if (!incomparable.empty() || non_finite > 0) return false;
  return exact ? max_abs == 0 : rel_l2 <= tolerance;
}

OutputError compare_output(const std::string& name, const Tensor& got, const Tensor& wanted) {
  OutputError e;
  e.name = name;
  if (got.dtype() != wanted.dtype() || !(got.shape() == wanted.shape())) {
    e.incomparable = fmt::format("is {} {}, not {} {}", name_of(got.dtype()), got.shape().str(),
                                 name_of(wanted.dtype()), wanted.shape().str());
    return e;
  }
  switch (wanted.dtype()) {
    case DType::f32:
      compare<float>(got, wanted, e);
      break;
    case DType::f64:
      compare<double>(got, wanted, e);
      break;
    case DType::i32:
      compare<int32_t>(got, wanted, e);
      break;
    case DType::i64:
      compare<int64_t>(got, wanted, e);
      break;
    case DType::u8:
      compare<uint8_t>(got, wanted, e);
      break;
    case DType::i8:
      compare<int8_t>(got, wanted, e);
      break;
    case DType::boolean:
      compare<bool>(got, wanted, e);
      break;
    case DType::f16:
      e.incomparable = "is float16, which is not compared; cast it to float32";
      break;
  }
  return e;
}

std::vector<OutputError> compare_outputs(const Session& session,
                                         const std::map<std::string, Tensor>& wanted) {
  std::vector<OutputError> errors;
  const std::vector<std::string> names = session.output_names();
  for (size_t i = 0; i < names.size(); ++i)
    if (auto at = wanted.find(names[i]); at != wanted.end())
      errors.push_back(compare_output(names[i], session.output(i), at->second));
  return errors;
}

}  // namespace vultus
