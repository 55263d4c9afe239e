#include "host/onnx/self_contained.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <new>

#include "host/onnx/limits.hpp"
#include "host/onnx/proto.hpp"
#include "host/onnx/tensors.hpp"

namespace vultus {

namespace {

bool is_external(const onnx::TensorProto& tensor) {
  return tensor.data_location() == onnx::TensorProto::EXTERNAL;
}

std::span<std::byte> writable(std::string& bytes) {
  return std::as_writable_bytes(std::span(bytes));
}

/// What its type and shape take; -1, which no file states, where they make no sense.
int64_t size_in_bytes(const onnx::TensorProto& tensor) {
  const auto dtype = dtype_from_onnx(tensor.data_type());
  const std::vector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  const auto elements = checked_elements(dims);
  return dtype && elements ? *elements * static_cast<int64_t>(size_of(*dtype)) : -1;
}

Result<void> bring_in(onnx::TensorProto& tensor, ExternalFiles& files, int64_t& total) {
  auto named = [&](const Error& error) {
    return Error{error.code, fmt::format("initialiser '{}' {}", tensor.name(), error.what)};
  };
  auto range = external_range(tensor, size_in_bytes(tensor));
  if (!range) return named(range.error());
  total += range->length;
  if (total > kMaxModelBytes)
    return bad_model("would be over 2 GiB with its weights inside, which one file cannot hold");
  if (auto fine = files.check(range->location, range->offset, range->length); !fine)
    return named(fine.error());
  std::string bytes(static_cast<size_t>(range->length), '\0');
  if (auto fine = files.read(range->location, range->offset, writable(bytes)); !fine)
    return named(fine.error());
  tensor.clear_external_data();
  tensor.clear_data_location();
  tensor.set_raw_data(std::move(bytes));
  return {};
}

Result<std::string> bytes_of(const ByteSource& source, ByteRange range) {
  std::string bytes(range.size, '\0');
  if (!source.read(range.offset, writable(bytes))) return bad_model("cannot be read to its end");
  return bytes;
}

Result<SelfContained> read(const std::string& path) {
  VULTUS_TRY(Model model, read_model(path));
  auto& initialisers = *model.proto.mutable_graph()->mutable_initializer();
  SelfContained result;
  const std::string folder = std::filesystem::path(path).parent_path().string();
  ExternalFiles files(folder.empty() ? "." : folder);
  int64_t total = static_cast<int64_t>(model.source->size());
  for (onnx::TensorProto& tensor : initialisers)
    if (is_external(tensor)) {
      VULTUS_CHECK(bring_in(tensor, files, total));
      ++result.brought_in;
    }
  if (result.brought_in == 0) {
    VULTUS_TRY(result.bytes, bytes_of(*model.source, {0, model.source->size()}));
    return result;
  }
  for (int i = 0; i < initialisers.size(); ++i)
    if (const ByteRange& raw = model.raw[static_cast<size_t>(i)]; raw.size > 0) {
      VULTUS_TRY(std::string bytes, bytes_of(*model.source, raw));
      initialisers[i].set_raw_data(std::move(bytes));
    }
  if (!model.proto.SerializeToString(&result.bytes))
    return bad_model("would be over 2 GiB with its weights inside, which one file cannot hold");
  return result;
}

}  // namespace

Result<SelfContained> read_self_contained(const std::string& path) {
  try {
    auto result = read(path);
    if (!result)
      return Error{result.error().code, fmt::format("{}: {}", path, result.error().what)};
    return result;
  } catch (const std::bad_alloc&) {
    return Error{Errc::out_of_memory, fmt::format("{}: not enough memory to read it", path)};
  }
}

}  // namespace vultus
