#include "host/core/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <vector>

#include "host/core/write_file.hpp"

namespace vultus {

namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kMaxHeaderBytes = 1 << 16;
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{16} << 30;
/// NumPy aligns the data to this many bytes.
constexpr size_t kDataAlignment = 64;

struct Descr {
  std::string_view text;
  DType dtype;
};
constexpr std::array kDescrs{Descr{"<f4", DType::f32}, Descr{"<f8", DType::f64},
                             Descr{"<f2", DType::f16}, Descr{"<i4", DType::i32},
                             Descr{"<i8", DType::i64}, Descr{"|u1", DType::u8},
                             Descr{"|i1", DType::i8},  Descr{"|b1", DType::boolean}};

struct Header {
  std::string descr;
  bool fortran_order = false;
  Shape shape;
};

/// Reads the Python dict literal that NumPy writes: three known keys; strings, booleans and one
/// tuple of integers as values. Anything else is refused.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  std::optional<Header> parse() {
    Header header;
    bool seen[3] = {};
    if (!eat('{')) return std::nullopt;
    while (!eat('}')) {
      auto key = string();
      if (!key || !eat(':')) return std::nullopt;
      size_t which = *key == "descr" ? 0 : *key == "fortran_order" ? 1 : *key == "shape" ? 2 : 3;
      if (which == 3 || seen[which]) return std::nullopt;
      seen[which] = true;
      bool read = which == 0   ? read_descr(header)
                  : which == 1 ? read_order(header)
                               : read_shape(header);
      if (!read) return std::nullopt;
      if (!eat(',') && peek() != '}') return std::nullopt;
    }
    skip_space();
    if (!rest_.empty() || !seen[0] || !seen[1] || !seen[2]) return std::nullopt;
    return header;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t'))
      rest_.remove_prefix(1);
  }
  char peek() {
    skip_space();
    return rest_.empty() ? '\0' : rest_[0];
  }
  bool eat(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool eat_word(std::string_view word) {
    skip_space();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::optional<std::string> string() {
    char quote = peek();
    if (quote != '\'' && quote != '"') return std::nullopt;
    size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }
  bool read_descr(Header& header) {
    auto text = string();
    if (text) header.descr = *text;
    return text.has_value();
  }
  bool read_order(Header& header) {
    header.fortran_order = eat_word("True");
    return header.fortran_order || eat_word("False");
  }
  bool read_shape(Header& header) {
    if (!eat('(')) return false;
    while (!eat(')')) {
      skip_space();
      int64_t dim = 0;
      auto [next, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), dim);
      if (error != std::errc{} || dim < 0 || header.shape.rank() == kMaxRank) return false;
      rest_.remove_prefix(static_cast<size_t>(next - rest_.data()));
      header.shape.push_back(dim);
      if (!eat(',') && peek() != ')') return false;
    }
    return true;
  }

  std::string_view rest_;
};

Error refuse(const std::string& name, std::string_view what) {
  return {Errc::bad_input, fmt::format("{}: {}", name, what)};
}

std::string header_of(std::string_view descr, const Shape& shape) {
  std::string tuple;
  for (int64_t d : shape)
    tuple += fmt::format("{}, ", d);
  if (shape.rank() > 1) tuple.resize(tuple.size() - 2);
  if (shape.rank() == 1) tuple.pop_back();
  std::string dict =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, tuple);
  size_t before = kMagic.size() + 4;
  size_t total = (before + dict.size() + 1 + kDataAlignment - 1) / kDataAlignment * kDataAlignment;
  dict.resize(total - before - 1, ' ');
  dict += '\n';
  std::string header(kMagic);
  header +=
      {'\x01', '\x00', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return header + dict;
}

}  // namespace

Result<Tensor> parse_npy(std::span<const std::byte> bytes, const std::string& name) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic) || text.size() < kMagic.size() + 4)
    return refuse(name, "not a .npy file (its first bytes are not those of NumPy)");
  auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(text[i])); };
  size_t version = byte(6);
  if (version != 1 && version != 2)
    return refuse(name, fmt::format(".npy version {} is not supported, only 1 and 2 are", version));
  size_t length_bytes = version == 1 ? 2 : 4;
  size_t start = kMagic.size() + 2 + length_bytes;
  if (text.size() < start) return refuse(name, "the .npy header is cut off");
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i)
    length |= byte(kMagic.size() + 2 + i) << (8 * i);
  if (length > kMaxHeaderBytes || length > text.size() - start)
    return refuse(name, "the .npy header is longer than the file or than 64 KiB");
  auto header = HeaderParser(text.substr(start, length)).parse();
  if (!header)
    return refuse(name, fmt::format("the .npy header is not a dict of descr, fortran_order and a "
                                    "shape of at most {} sizes",
                                    kMaxRank));
  if (header->fortran_order)
    return refuse(name, "is in Fortran order; save it with numpy.ascontiguousarray");
  std::string descr = header->descr;
  if (descr == "<u1" || descr == "<i1" || descr == "<b1") descr[0] = '|';
  auto known =
      std::find_if(kDescrs.begin(), kDescrs.end(), [&](const Descr& d) { return d.text == descr; });
  if (known == kDescrs.end())
    return refuse(name, fmt::format("element type '{}' is not supported; use little-endian "
                                    "float16/32/64, int32/64, uint8, int8 or bool",
                                    header->descr));
  auto elements = checked_elements(header->shape.dims());
  size_t data = text.size() - start - length;
  if (!elements || static_cast<size_t>(*elements) * size_of(known->dtype) != data)
    return refuse(name, fmt::format("holds {} bytes of data, which is not {} of {}", data,
                                    header->shape.str(), name_of(known->dtype)));
  Tensor tensor(known->dtype, header->shape);
  if (data > 0) std::memcpy(tensor.bytes(), bytes.data() + start + length, data);
  if (tensor.dtype() == DType::boolean)
    for (size_t i = 0; i < data; ++i)
      if (tensor.bytes()[i] > std::byte{1})
        return refuse(name, "holds a bool that is neither 0 nor 1");
  return tensor;
}

Result<Tensor> read_npy(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return refuse(path, "is not a file that can be read; check the path");
  std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > kMaxFileBytes) return refuse(path, "is too large for an array (over 16 GiB)");
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) return refuse(path, "cannot be read; check its permissions");
  return parse_npy(bytes, path);
}

Result<void> write_npy(const std::string& path, const TensorView& tensor) {
  auto known = std::find_if(kDescrs.begin(), kDescrs.end(),
                            [&](const Descr& d) { return d.dtype == tensor.dtype; });
  std::string header = header_of(known->text, tensor.shape);
  return write_file(path,
                    {header, {reinterpret_cast<const char*>(tensor.bytes), tensor.size_bytes()}});
}

}  // namespace vultus
