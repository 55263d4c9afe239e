#include "tests/support/torch_file.hpp"

#include <gtest/gtest.h>
#include <zip.h>

#include <cstring>
#include <memory>
#include <span>

#include "host/torch/checkpoint.hpp"

namespace vultus::test {

namespace {

std::string integer(int64_t value) {
  std::string raw(sizeof(value), 0);
  std::memcpy(raw.data(), &value, sizeof(value));
  return "\x8a\x08" + raw;
}

std::string text(const std::string& value) {
  const auto size = static_cast<uint32_t>(value.size());
  std::string raw(sizeof(size), 0);
  std::memcpy(raw.data(), &size, sizeof(size));
  return "X" + raw + value;
}

std::string tuple(std::span<const int64_t> values) {
  std::string opcodes = "(";
  for (int64_t value : values)
    opcodes += integer(value);
  return opcodes + "t";
}

constexpr const char* kOrderedDict = "ccollections\nOrderedDict\n)R";

std::string tensor_opcodes(const Tensor& tensor, size_t storage) {
  const char* type = tensor.dtype() == DType::i64 ? "LongStorage" : "FloatStorage";
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + type + "\n" +
         text(std::to_string(storage)) + text("cpu") + integer(tensor.shape().elements()) + "tQ" +
         integer(0) + tuple(tensor.shape().dims()) + tuple(tensor.shape().strides().dims()) +
         "\x89" + kOrderedDict + "tR";
}

/// The bytes live until the archive is closed.
void add(zip_t* archive, const std::string& name, const void* bytes, size_t size) {
  zip_source_t* source = zip_source_buffer(archive, bytes, size, 0);
  const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
  ASSERT_GE(index, 0) << zip_strerror(archive);
  zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
}

}  // namespace

void write_torch_file(const std::string& path, const std::map<std::string, Tensor>& state,
                      const std::string& where) {
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  ASSERT_TRUE(archive) << path;
  std::string entries;
  size_t storage = 0;
  for (const auto& [name, tensor] : state) {
    entries += text(name) + tensor_opcodes(tensor, storage);
    add(archive, "archive/data/" + std::to_string(storage++), tensor.bytes(), tensor.size_bytes());
  }
  std::string pickle = kOrderedDict + ("(" + entries + "u");
  if (!where.empty()) pickle = "}" + text(where) + pickle + "s";
  pickle = "\x80\x02" + pickle + ".";
  const std::string version = "3\n";
  add(archive, "archive/data.pkl", pickle.data(), pickle.size());
  add(archive, "archive/version", version.data(), version.size());
  ASSERT_EQ(zip_close(archive), 0) << zip_strerror(archive);
}

std::map<std::string, Tensor> read_torch_file(const std::string& path) {
  std::map<std::string, Tensor> tensors;
  auto checkpoint = torch::Checkpoint::read(path);
  if (!checkpoint) {
    ADD_FAILURE() << checkpoint.error().what;
    return tensors;
  }
  for (const torch::CheckpointTensor& tensor : checkpoint->tensors())
    tensors.emplace(tensor.name, checkpoint->load(tensor).value());
  return tensors;
}

}  // namespace vultus::test
