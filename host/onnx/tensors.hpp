#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.hpp"
#include "host/core/tensor.hpp"
#include "host/onnx/proto.hpp"

namespace vultus {

/// Files with weights beside the model. Every file is opened once; a path that leaves the model's
/// folder, also through a link, is refused.
class ExternalFiles {
 public:
  /// `folder` empty: no external data is allowed.
  explicit ExternalFiles(std::string folder) : folder_(std::move(folder)) {}
  ~ExternalFiles();
  ExternalFiles(const ExternalFiles&) = delete;
  ExternalFiles& operator=(const ExternalFiles&) = delete;

  /// Fails unless the file holds `length` bytes from `offset`.
  Result<void> check(const std::string& location, int64_t offset, int64_t length);
  /// Fills `out` from byte `offset` of the file.
  Result<void> read(const std::string& location, int64_t offset, std::span<std::byte> out);

 private:
  struct File {
    int descriptor = -1;
    int64_t size = 0;
  };
  Result<File> open(const std::string& location);

  std::string folder_;
  std::map<std::string, File> files_;
};

/// Where external data say that they lie.
struct ExternalRange {
  std::string location;
  int64_t offset = 0, length = 0;
};
/// `expected`: bytes that its type and shape ask for, which a tensor that states another length
/// does not have.
Result<ExternalRange> external_range(const onnx::TensorProto& proto, int64_t expected);

/// Raw data that is still in the file; none where the range is empty.
struct RawData {
  const ByteSource* source = nullptr;
  ByteRange range;
};

/// Which numbers a tensor may hold. `finite`: no NaN, and infinities only in a tensor of one
/// element, where they are bounds (Clip) or fill values (Pad).
enum class FloatValues { finite, any };

/// Reads the tensors of one model and keeps count of their bytes.
class TensorReader {
 public:
  explicit TensorReader(std::string folder, FloatValues allowed = FloatValues::finite)
      : files_(std::move(folder)), allowed_(allowed) {}
  /// float16 becomes float32. `what` names the tensor in messages.
  /// `raw`: its raw data when that was taken out of the message. Elements of such a float32 tensor
  /// are there after `finish`, to which the tensor's memory must live.
  Result<Tensor> read(const onnx::TensorProto& proto, const std::string& what, RawData raw = {});
  /// Reads what was left, on all threads.
  Result<void> finish();

 private:
  Result<Tensor> read_raw(const onnx::TensorProto& proto, const RawData& raw, DType dtype,
                          const Shape& shape);
  Result<Tensor> read_external(const onnx::TensorProto& proto, DType dtype, const Shape& shape);

  /// A float32 tensor whose elements are still in the file.
  struct Pending {
    std::string what;
    TensorView tensor;
    RawData raw;
  };

  ExternalFiles files_;
  FloatValues allowed_;
  int64_t total_bytes_ = 0;
  std::vector<Pending> pending_;
};

/// How many of the proto's data fields are filled; a sound tensor with elements has one.
int filled_fields(const onnx::TensorProto& proto);
/// Element type of the file, or nothing when the engine has no such type.
std::optional<DType> dtype_from_onnx(int data_type);
/// "FLOAT", "UINT16"; the number where the standard has no name.
std::string name_of_onnx_type(int data_type);

}  // namespace vultus
