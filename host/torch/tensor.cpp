// Tensors of a checkpoint: what their descriptions may say, and how their elements are gathered.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cstring>
#include <optional>

#include "host/core/half.hpp"
#include "host/torch/checkpoint.hpp"

namespace vultus::torch {

namespace {

using Kind = Object::Kind;

struct Storage {
  ElementType type = ElementType::f32;
  std::string key;
  int64_t elements = 0;
};

/// The parts of one description and the messages about it.
class Description {
 public:
  Description(const Pickle& pickle, const Object& tensor, const std::string& name)
      : pickle_(pickle), items_(tensor.items), name_(name) {}

  Error bad(std::string_view what) const {
    return {Errc::bad_model,
            fmt::format("tensor '{}' {}: the file is damaged or hostile, get it again",
                        printable(name_), what)};
  }
  Result<int64_t> integer(size_t i) const {
    if (i >= items_.size() || pickle_[items_[i]].kind != Kind::integer)
      return bad("is described wrongly");
    return pickle_[items_[i]].integer;
  }
  Result<std::vector<int64_t>> integers(size_t i) const {
    if (i >= items_.size() || pickle_[items_[i]].kind != Kind::sequence)
      return bad("is described wrongly");
    const std::vector<Ref>& members = pickle_[items_[i]].items;
    if (members.size() > static_cast<size_t>(kMaxRank))
      return bad(fmt::format("has {} axes, more than {}", members.size(), kMaxRank));
    std::vector<int64_t> values;
    for (Ref member : members) {
      if (pickle_[member].kind != Kind::integer) return bad("has a size that is no integer");
      values.push_back(pickle_[member].integer);
    }
    return values;
  }
  Result<Storage> storage() const;

 private:
  const Pickle& pickle_;
  const std::vector<Ref>& items_;
  const std::string& name_;
};

Result<Storage> Description::storage() const {
  if (items_.empty() || pickle_[items_[0]].kind != Kind::storage) return bad("has no storage");
  const std::vector<Ref>& id = pickle_[items_[0]].items;  // "storage", type, key, place, elements
  const Object& type = pickle_[id[1]];
  const Object& key = pickle_[id[2]];
  const Object& count = pickle_[id[4]];
  if (type.kind != Kind::global || key.kind != Kind::text || count.kind != Kind::integer)
    return bad("has a storage that is described wrongly");
  auto element = element_type_of_storage(type.text);
  if (!element) return bad(fmt::format("has elements of {}", printable(type.text)));
  if (id.size() > 5 && pickle_[id[5]].kind != Kind::none)
    return Error{Errc::bad_model,
                 fmt::format("tensor '{}' is a view as PyTorch before 0.4 wrote them; load the "
                             "file with a newer PyTorch and save it again",
                             printable(name_))};
  return Storage{*element, std::string(key.text), count.integer};
}

/// Index of the last element, or nothing when it overflows. Sizes are positive.
std::optional<int64_t> last_index(int64_t offset, const std::vector<int64_t>& sizes,
                                  const std::vector<int64_t>& strides) {
  int64_t last = offset;
  for (size_t i = 0; i < sizes.size(); ++i) {
    int64_t reach = 0;
    if (__builtin_mul_overflow(sizes[i] - 1, strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last))
      return std::nullopt;
  }
  return last;
}

DType dtype_of_element(ElementType type) {
  switch (type) {
    case ElementType::f32:
    case ElementType::f16:
    case ElementType::bf16:
      return DType::f32;
    case ElementType::f64:
      return DType::f64;
    case ElementType::i64:
      return DType::i64;
    case ElementType::i32:
    case ElementType::i16:
      return DType::i32;
    case ElementType::i8:
      return DType::i8;
    case ElementType::u8:
      return DType::u8;
    case ElementType::boolean:
      break;
  }
  return DType::boolean;
}

/// Elements in row-major order, each read with `read` from where it lies.
template <class T, class Read>
void fill(const CheckpointTensor& tensor, Tensor& out, const Read& read) {
  auto values = out.as<T>();
  std::vector<int64_t> index(tensor.strides.size(), 0);
  int64_t at = tensor.offset;
  for (T& value : values) {
    value = read(static_cast<size_t>(at));
    for (size_t axis = index.size(); axis-- > 0;) {
      if (index[axis] + 1 < tensor.shape[static_cast<int>(axis)]) {
        at += tensor.strides[axis];
        ++index[axis];
        break;
      }
      at -= tensor.strides[axis] * index[axis];
      index[axis] = 0;
    }
  }
}

template <class T>
T element(std::span<const std::byte> storage, size_t i) {
  T value;
  std::memcpy(&value, storage.data() + i * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

int64_t size_of(ElementType type) {
  switch (type) {
    case ElementType::f64:
    case ElementType::i64:
      return 8;
    case ElementType::f32:
    case ElementType::i32:
      return 4;
    case ElementType::f16:
    case ElementType::bf16:
    case ElementType::i16:
      return 2;
    default:
      return 1;
  }
}

Result<CheckpointTensor> describe_tensor(const Pickle& pickle, const Object& object,
                                         const std::string& name, const Records& records) {
  const Description description(pickle, object, name);
  VULTUS_TRY(Storage storage, description.storage());
  VULTUS_TRY(int64_t offset, description.integer(1));
  VULTUS_TRY(std::vector<int64_t> sizes, description.integers(2));
  VULTUS_TRY(std::vector<int64_t> strides, description.integers(3));
  auto elements = checked_elements(sizes);
  if (!elements)
    return description.bad(
        fmt::format("has sizes [{}], which no tensor can have", fmt::join(sizes, ", ")));
  if (strides.size() != sizes.size())
    return description.bad(
        fmt::format("has {} sizes but {} strides", sizes.size(), strides.size()));
  for (int64_t stride : strides)
    if (stride < 0) return description.bad("has a negative stride");
  if (offset < 0) return description.bad("has a negative offset");
  auto held = records.size(storage.key);
  if (!held)
    return description.bad(
        fmt::format("lies in storage '{}', which the file does not hold", printable(storage.key)));
  int64_t bytes = 0;
  if (storage.elements < 0 ||
      __builtin_mul_overflow(storage.elements, size_of(storage.type), &bytes) ||
      static_cast<uint64_t>(bytes) != *held)
    return description.bad(fmt::format(
        "lies in storage '{}', which should have {} elements of {} bytes but has {} bytes",
        printable(storage.key), storage.elements, size_of(storage.type), *held));
  auto last = last_index(offset, sizes, strides);
  if (*elements > 0 && (!last || *last >= storage.elements))
    return description.bad(fmt::format("reaches element {} of a storage that has {}",
                                       last ? std::to_string(*last) : "2^63", storage.elements));
  return CheckpointTensor{
      name,   storage.type,          Shape(std::span<const int64_t>(sizes)), std::move(strides),
      offset, std::move(storage.key)};
}

Tensor gather(const CheckpointTensor& tensor, std::span<const std::byte> s) {
  Tensor out = Tensor::uninitialised(dtype_of_element(tensor.type), tensor.shape);
  switch (tensor.type) {
    case ElementType::f32:
      fill<float>(tensor, out, [&](size_t i) { return element<float>(s, i); });
      break;
    case ElementType::f64:
      fill<double>(tensor, out, [&](size_t i) { return element<double>(s, i); });
      break;
    case ElementType::f16:
      fill<float>(tensor, out, [&](size_t i) { return float_from_half(element<uint16_t>(s, i)); });
      break;
    case ElementType::bf16:
      fill<float>(tensor, out, [&](size_t i) {
        return std::bit_cast<float>(static_cast<uint32_t>(element<uint16_t>(s, i)) << 16);
      });
      break;
    case ElementType::i64:
      fill<int64_t>(tensor, out, [&](size_t i) { return element<int64_t>(s, i); });
      break;
    case ElementType::i32:
      fill<int32_t>(tensor, out, [&](size_t i) { return element<int32_t>(s, i); });
      break;
    case ElementType::i16:
      fill<int32_t>(tensor, out, [&](size_t i) { return element<int16_t>(s, i); });
      break;
    case ElementType::i8:
      fill<int8_t>(tensor, out, [&](size_t i) { return element<int8_t>(s, i); });
      break;
    case ElementType::u8:
      fill<uint8_t>(tensor, out, [&](size_t i) { return element<uint8_t>(s, i); });
      break;
    case ElementType::boolean:
      fill<bool>(tensor, out, [&](size_t i) { return element<uint8_t>(s, i) != 0; });
      break;
  }
  return out;
}

}  // namespace vultus::torch
