#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/core/tensor.hpp"
#include "host/torch/globals.hpp"
#include "host/torch/pickle.hpp"

namespace vultus::torch {

/// Where the numbers of a checkpoint are, by storage key.
class Records {
 public:
  virtual ~Records() = default;
  /// Bytes of that record, or nothing when there is none.
  virtual std::optional<uint64_t> size(std::string_view key) const = 0;
  /// All its bytes, checked.
  virtual Result<std::vector<std::byte>> read(const std::string& key) const = 0;
};

/// One tensor of a checkpoint, found to lie inside its storage.
struct CheckpointTensor {
  std::string name;  ///< keys of nested dictionaries with '/' between: "net/conv1.weight"
  ElementType type = ElementType::f32;
  Shape shape;
  std::vector<int64_t> strides;  ///< in elements, none negative
  int64_t offset = 0;            ///< of the first element
  std::string storage;
};

/// The tensors of a file that torch.save wrote, in its zip format (PyTorch 1.6 and later) or the
/// one before. Nothing in the file is ever executed: the reader knows the opcodes and names that
/// tensors are described with and refuses all others. Numbers are read when they are asked for.
class Checkpoint {
 public:
  /// bad_model with a sentence for whatever is wrong; bad_input when the file cannot be read.
  static Result<Checkpoint> read(const std::string& path);
  static Result<Checkpoint> parse(std::vector<std::byte> bytes);

  /// In the file's order.
  const std::vector<CheckpointTensor>& tensors() const { return tensors_; }
  /// Row-major; float16 and bfloat16 become float32, int16 becomes int32. Records that tensors
  /// share are read once.
  Result<Tensor> load(const CheckpointTensor& tensor);

 private:
  Checkpoint() = default;

  std::shared_ptr<std::vector<std::byte>> bytes_;
  std::unique_ptr<Records> records_;
  std::vector<CheckpointTensor> tensors_;
  std::map<std::string, std::vector<std::byte>> storages_;
};

/// The two formats: the description, and where the numbers are. `bytes` outlives the results.
struct Parts {
  Pickle pickle;
  std::unique_ptr<Records> records;
};
bool is_zip(std::span<const std::byte> bytes);
Result<Parts> open_zip(std::span<const std::byte> bytes);
bool is_legacy(std::span<const std::byte> bytes);
Result<Parts> open_legacy(std::span<const std::byte> bytes);

/// Bytes of one element in the file.
int64_t size_of(ElementType type);
/// A tensor as its description says, or what is wrong with it. `name` is for messages.
Result<CheckpointTensor> describe_tensor(const Pickle& pickle, const Object& object,
                                         const std::string& name, const Records& records);
/// Its elements, row by row, out of the bytes of its storage.
Tensor gather(const CheckpointTensor& tensor, std::span<const std::byte> storage);

}  // namespace vultus::torch
