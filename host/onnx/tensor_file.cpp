#include "host/onnx/tensor_file.hpp"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <new>

#include "host/onnx/file_source.hpp"
#include "host/onnx/limits.hpp"
#include "host/onnx/scan.hpp"
#include "host/onnx/tensors.hpp"

namespace vultus {

namespace {

/// A tensor of no elements has nothing to hold.
bool lacks_data(const onnx::TensorProto& p) {
  const bool has_elements = std::ranges::find(p.dims(), 0) == p.dims().end();
  return has_elements && filled_fields(p) == 0;
}

/// Sequences and optional values share no field with tensors but the type: their elements look like
/// a segment, their name like sizes.
Result<void> check_kind(const onnx::TensorProto& proto) {
  if (proto.has_segment())
    return bad_model(
        "holds a sequence, an optional value or a tensor in segments, where a whole tensor is "
        "expected");
  if (proto.data_location() == onnx::TensorProto::EXTERNAL)
    return bad_model("keeps its data in another file, where all of it is expected here");
  if (proto.data_type() == onnx::TensorProto::UNDEFINED) return bad_model("holds no tensor");
  if (lacks_data(proto))
    return bad_model("has no data: it is cut off, or an empty sequence or optional value");
  return {};
}

Result<NamedTensor> parse(const FileSource& file) {
  google::protobuf::LogSilencer silence;
  {
    auto stream = file.from_beginning();
    VULTUS_CHECK(check_message_count(stream, MessageKind::tensor));
  }
  onnx::TensorProto proto;
  auto stream = file.from_beginning();
  if (!proto.ParseFromZeroCopyStream(&stream))
    return bad_model("is not an ONNX tensor, or is damaged or cut off");
  VULTUS_CHECK(check_kind(proto));
  TensorReader reader("", FloatValues::any);
  VULTUS_TRY(Tensor tensor, reader.read(proto, "its tensor"));
  return NamedTensor{proto.name(), std::move(tensor)};
}

Result<NamedTensor> open_and_parse(const std::string& path) {
  FileSource file(path);
  VULTUS_CHECK(file.check());
  if (file.size() > static_cast<uint64_t>(kMaxModelBytes))
    return bad_model("is over 2 GiB, the most that such a file can hold; use a .npy file");
  auto parsed = parse(file);
  if (parsed) return parsed;
  return Error{
      parsed.error().code,
      parsed.error().what + " (write it with onnx.numpy_helper.from_array(x).SerializeToString())"};
}

}  // namespace

Result<NamedTensor> read_tensor_file(const std::string& path) {
  auto done = [&]() -> Result<NamedTensor> {
    try {
      return open_and_parse(path);
    } catch (const std::bad_alloc&) {
      return Error{Errc::out_of_memory, "needs more memory than there is"};
    }
  }();
  if (done) return done;
  const Errc code = done.error().code == Errc::bad_model ? Errc::bad_input : done.error().code;
  return Error{code, fmt::format("{}: {}", path, done.error().what)};
}

}  // namespace vultus
