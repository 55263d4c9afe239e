#include "host/onnx/tensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "host/core/half.hpp"
#include "host/core/parallel.hpp"
#include "host/onnx/limits.hpp"

namespace vultus {

namespace {

constexpr std::string_view kSupportedTypes =
    "float32, float16, float64, int32, int64, uint8, int8 and bool are";

Result<int64_t> parse_count(const std::string& text, std::string_view key) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0)
    return bad_model(fmt::format("its external data has a {} that is no byte count", key));
  return value;
}

template <class T, class Field>
Result<Tensor> narrow(const Field& field, const Shape& shape) {
  if (field.size() != shape.elements())
    return bad_model(
        fmt::format("holds {} typed values, which is not {}", field.size(), shape.str()));
  Tensor tensor(dtype_of<T>(), shape);
  auto out = tensor.as<T>();
  for (int i = 0; i < field.size(); ++i) {
    out[static_cast<size_t>(i)] = static_cast<T>(field[i]);
    if constexpr (std::is_integral_v<T>)
      if (static_cast<int64_t>(out[static_cast<size_t>(i)]) != static_cast<int64_t>(field[i]))
        return bad_model(
            fmt::format("element {} is {}, which is no {}", i, field[i], name_of(dtype_of<T>())));
  }
  return tensor;
}

Result<Tensor> half_from_int32(const onnx::TensorProto& p, const Shape& shape) {
  if (p.int32_data_size() != shape.elements())
    return bad_model(
        fmt::format("holds {} typed values, which is not {}", p.int32_data_size(), shape.str()));
  Tensor tensor(DType::f16, shape);
  for (int i = 0; i < p.int32_data_size(); ++i) {
    auto bits = static_cast<uint16_t>(p.int32_data(i));
    std::memcpy(tensor.bytes() + static_cast<size_t>(i) * 2, &bits, 2);
  }
  return tensor;
}

Result<Tensor> read_typed(const onnx::TensorProto& p, DType dtype, const Shape& shape) {
  switch (dtype) {
    case DType::f32:
      return narrow<float>(p.float_data(), shape);
    case DType::f64:
      return narrow<double>(p.double_data(), shape);
    case DType::i64:
      return narrow<int64_t>(p.int64_data(), shape);
    case DType::i32:
      return narrow<int32_t>(p.int32_data(), shape);
    case DType::u8:
      return narrow<uint8_t>(p.int32_data(), shape);
    case DType::i8:
      return narrow<int8_t>(p.int32_data(), shape);
    case DType::boolean:
      return narrow<bool>(p.int32_data(), shape);
    case DType::f16:
      return half_from_int32(p, shape);
  }
  return bad_model("has an unknown type");
}

Tensor widened(const Tensor& half) {
  Tensor tensor(DType::f32, half.shape());
  auto out = tensor.as<float>();
  for (size_t i = 0; i < out.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, half.bytes() + i * 2, 2);
    out[i] = float_from_half(bits);
  }
  return tensor;
}

/// Without leaving early and on integers, so that it runs in vectors: weights are many and nearly
/// always sound. Infinity is the least of the magnitudes that are not finite.
template <class T>
bool all_finite(std::span<const T> values) {
  using Bits = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  Bits largest = 0;
  for (T v : values)
    largest = std::max(largest, std::bit_cast<Bits>(std::abs(v)));
  return largest < std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
}

template <class T>
Result<void> check_finite(std::span<const T> values) {
  if (all_finite(values)) return {};
  for (size_t i = 0; i < values.size(); ++i)
    if (std::isnan(values[i]) || (std::isinf(values[i]) && values.size() > 1))
      return bad_model(
          fmt::format("element {} is {}; weights must be finite (was the training "
                      "diverging, or is the file damaged?)",
                      i, values[i]));
  return {};
}

Result<void> check_values(const Tensor& tensor, FloatValues allowed) {
  const bool finite = allowed == FloatValues::finite;
  if (tensor.dtype() == DType::f32 && finite) return check_finite(tensor.as<float>());
  if (tensor.dtype() == DType::f64 && finite) return check_finite(tensor.as<double>());
  if (tensor.dtype() == DType::boolean)
    for (size_t i = 0; i < tensor.size_bytes(); ++i)
      if (tensor.bytes()[i] > std::byte{1})
        return bad_model(fmt::format("element {} is a bool that is neither 0 nor 1", i));
  return {};
}

Result<Shape> shape_of(const onnx::TensorProto& proto) {
  if (proto.dims_size() > kMaxRank)
    return bad_model(
        fmt::format("has {} dimensions; at most {} are supported", proto.dims_size(), kMaxRank));
  std::vector<int64_t> dims(proto.dims().begin(), proto.dims().end());
  if (!checked_elements(dims)) {
    Shape shown{std::span<const int64_t>(dims)};
    return bad_model(fmt::format("has the impossible size {}", shown.str()));
  }
  return Shape{std::span<const int64_t>(dims)};
}

}  // namespace

int filled_fields(const onnx::TensorProto& p) {
  return (p.has_raw_data() && !p.raw_data().empty()) + (p.float_data_size() > 0) +
         (p.int32_data_size() > 0) + (p.int64_data_size() > 0) + (p.double_data_size() > 0) +
         (p.uint64_data_size() > 0) + (p.string_data_size() > 0);
}

std::optional<DType> dtype_from_onnx(int data_type) {
  switch (data_type) {
    case onnx::TensorProto::FLOAT:
      return DType::f32;
    case onnx::TensorProto::FLOAT16:
      return DType::f16;
    case onnx::TensorProto::DOUBLE:
      return DType::f64;
    case onnx::TensorProto::INT32:
      return DType::i32;
    case onnx::TensorProto::INT64:
      return DType::i64;
    case onnx::TensorProto::UINT8:
      return DType::u8;
    case onnx::TensorProto::INT8:
      return DType::i8;
    case onnx::TensorProto::BOOL:
      return DType::boolean;
    default:
      return std::nullopt;
  }
}

std::string name_of_onnx_type(int data_type) {
  if (onnx::TensorProto::DataType_IsValid(data_type))
    return onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(data_type));
  return std::to_string(data_type);
}

Result<Tensor> TensorReader::read_raw(const onnx::TensorProto& proto, const RawData& raw,
                                      DType dtype, const Shape& shape) {
  const size_t held = raw.range.size > 0 ? raw.range.size : proto.raw_data().size();
  const size_t expected = static_cast<size_t>(shape.elements()) * size_of(dtype);
  if (held != expected)
    return bad_model(fmt::format("holds {} raw bytes; {} of {} are {}", held, shape.str(),
                                 name_of(dtype), expected));
  Tensor tensor = Tensor::uninitialised(dtype, shape);
  if (raw.range.size == 0)
    std::memcpy(tensor.bytes(), proto.raw_data().data(), expected);
  else if (dtype == DType::f32)
    return tensor;  // left for `finish`
  else if (!raw.source->read(raw.range.offset, {tensor.bytes(), expected}))
    return bad_model("cannot be read to its end");
  return tensor;
}

Result<ExternalRange> external_range(const onnx::TensorProto& proto, int64_t expected) {
  ExternalRange range{.location = {}, .offset = 0, .length = expected};
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") {
      VULTUS_CHECK(check_name(entry.value(), "external file"));
      range.location = entry.value();
    } else if (entry.key() == "offset") {
      VULTUS_TRY(range.offset, parse_count(entry.value(), "offset"));
    } else if (entry.key() == "length") {
      VULTUS_TRY(range.length, parse_count(entry.value(), "length"));
    }
  }
  if (range.length != expected)
    return bad_model(fmt::format("has {} bytes of external data; its type and shape take {}",
                                 range.length, expected));
  return range;
}

Result<Tensor> TensorReader::read_external(const onnx::TensorProto& proto, DType dtype,
                                           const Shape& shape) {
  if (filled_fields(proto) > 0)
    return bad_model("has both external data and data in the file itself");
  VULTUS_TRY(ExternalRange range,
             external_range(proto, shape.elements() * static_cast<int64_t>(size_of(dtype))));
  // Before allocating: the file must really hold that much.
  VULTUS_CHECK(files_.check(range.location, range.offset, range.length));
  Tensor tensor = Tensor::uninitialised(dtype, shape);
  VULTUS_CHECK(files_.read(range.location, range.offset, {tensor.bytes(), tensor.size_bytes()}));
  return tensor;
}

Result<Tensor> TensorReader::read(const onnx::TensorProto& proto, const std::string& what,
                                  RawData raw) {
  auto named = [&](const Error& error) {
    return Error{error.code, fmt::format("{} {}", what, error.what)};
  };
  auto dtype = dtype_from_onnx(proto.data_type());
  if (!dtype)
    return named(bad_model(fmt::format("has type {}, which is not supported; {}",
                                       name_of_onnx_type(proto.data_type()), kSupportedTypes)));
  auto shape = shape_of(proto);
  if (!shape) return named(shape.error());
  if (proto.has_segment()) return named(bad_model("is stored in segments, which is not supported"));
  total_bytes_ += shape->elements() * static_cast<int64_t>(size_of(*dtype));
  if (total_bytes_ > kMaxWeightBytes)
    return named(bad_model(fmt::format("brings the weights to over {} GiB, which is the limit",
                                       kMaxWeightBytes >> 30)));
  bool external = proto.data_location() == onnx::TensorProto::EXTERNAL;
  const bool apart = raw.range.size > 0;
  if (external && apart)
    return named(bad_model("has both external data and data in the file itself"));
  if (!external && filled_fields(proto) + (apart ? 1 : 0) > 1)
    return named(bad_model("holds its data twice, in different forms"));
  auto tensor = external                             ? read_external(proto, *dtype, *shape)
                : apart || !proto.raw_data().empty() ? read_raw(proto, raw, *dtype, *shape)
                                                     : read_typed(proto, *dtype, *shape);
  if (!tensor) return named(tensor.error());
  if (apart && *dtype == DType::f32) {
    pending_.push_back({what, tensor->view(), raw});
    return tensor;
  }
  if (*dtype == DType::f16) tensor = widened(*tensor);
  if (auto fine = check_values(*tensor, allowed_); !fine) return named(fine.error());
  return tensor;
}

Result<void> TensorReader::finish() {
  // Small enough that the threads' shares are alike.
  constexpr size_t kPiece = 256 << 10;
  struct Piece {
    const Pending* of;
    size_t offset, size;
    bool good = false;
  };
  std::vector<Piece> pieces;
  for (const Pending& p : pending_)
    for (size_t offset = 0; offset < p.raw.range.size; offset += kPiece)
      pieces.push_back({&p, offset, std::min<size_t>(kPiece, p.raw.range.size - offset)});
  parallel_for(static_cast<int64_t>(pieces.size()), kPiece, [&](int64_t begin, int64_t end) {
    for (Piece& piece :
         std::span(pieces).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin))) {
      const RawData& raw = piece.of->raw;
      const std::span to(piece.of->tensor.bytes + piece.offset, piece.size);
      piece.good = raw.source->read(raw.range.offset + piece.offset, to) &&
                   all_finite(std::span(reinterpret_cast<const float*>(to.data()),
                                        piece.size / sizeof(float)));
    }
  });
  auto bad = std::ranges::find(pieces, false, &Piece::good);
  if (bad == pieces.end()) {
    pending_.clear();
    return {};
  }
  const Pending& p = *bad->of;
  auto finite = check_finite(std::span<const float>(p.tensor.as<float>()));
  const Error error = finite ? bad_model("cannot be read to its end") : finite.error();
  return Error{error.code, fmt::format("{} {}", p.what, error.what)};
}

}  // namespace vultus
