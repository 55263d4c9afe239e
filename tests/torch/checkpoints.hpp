#pragma once

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/torch/checkpoint.hpp"

namespace vultus::test {

using Tensors = std::map<std::string, Tensor>;

/// Every tensor of a checkpoint by name, or the first error.
inline Result<Tensors> load_all(torch::Checkpoint checkpoint) {
  Tensors tensors;
  for (const torch::CheckpointTensor& tensor : checkpoint.tensors()) {
    VULTUS_TRY(Tensor values, checkpoint.load(tensor));
    tensors.emplace(tensor.name, std::move(values));
  }
  return tensors;
}

inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  return {bytes, bytes + text.size()};
}

inline Result<Tensors> load_all(std::string_view file) {
  VULTUS_TRY(torch::Checkpoint checkpoint, torch::Checkpoint::parse(bytes_of(file)));
  return load_all(std::move(checkpoint));
}

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline bool same(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.bytes(), b.bytes(), a.size_bytes()) == 0;
}

inline bool same(const Tensors& a, const Tensors& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first && same(x.second, y.second);
  });
}

/// Opcodes of a text of fewer than 256 bytes.
inline std::string text(const std::string& value) {
  return "X" + std::string{static_cast<char>(value.size()), 0, 0, 0} + value;
}

/// Opcodes of an integer of eight bytes.
inline std::string integer(int64_t value) {
  std::string raw(sizeof(value), 0);
  std::memcpy(raw.data(), &value, sizeof(value));
  return "\x8a\x08" + raw;
}

inline std::string tuple(const std::vector<int64_t>& values) {
  std::string opcodes = "(";
  for (int64_t value : values)
    opcodes += integer(value);
  return opcodes + "t";
}

/// Opcodes of a float tensor in storage "7" of `elements`.
struct LegacyTensor {
  int64_t offset = 0;
  std::vector<int64_t> sizes = {2, 2};
  std::vector<int64_t> strides = {1, 2};
  int64_t elements = 4;

  std::string opcodes() const {
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" +
           text("7") + text("cpu") + integer(elements) + "tQ" + integer(offset) + tuple(sizes) +
           tuple(strides) + "\x89}tR";
  }
};

/// A file of the older format as opcodes, part by part: what a test changes is a field here.
struct LegacyFile {
  std::string object = "}" + text("w") + LegacyTensor().opcodes() + "s";
  std::string version = integer(1001);
  std::string system = "}" + text("little_endian") + "\x88s";
  std::string keys = "]" + text("7") + "a";
  std::vector<float> storage = {1, 2, 3, 4};

  std::string bytes() const {
    std::string file("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
    for (const std::string& part : {version, system, object, keys})
      file += "\x80\x02" + part + ".";
    const auto count = static_cast<int64_t>(storage.size());
    file.append(reinterpret_cast<const char*>(&count), sizeof(count));
    return file.append(reinterpret_cast<const char*>(storage.data()), storage.size() * 4);
  }
};

}  // namespace vultus::test
