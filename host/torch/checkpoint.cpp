#include "host/torch/checkpoint.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "host/torch/limits.hpp"

namespace vultus::torch {

namespace {

using Kind = Object::Kind;

struct File {
  int descriptor;
  ~File() {
    if (descriptor >= 0) close(descriptor);
  }
};

Result<std::vector<std::byte>> read_file(const std::string& path) {
  // Non-blocking, so that a named pipe does not hang before it is refused.
  File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.descriptor < 0)
    return Error{Errc::bad_input, fmt::format("cannot be opened: {}", strerror(errno))};
  struct stat status;
  if (fstat(file.descriptor, &status) != 0 || !S_ISREG(status.st_mode))
    return Error{Errc::bad_input, "is not a file"};
  if (status.st_size > kMaxFileBytes)
    return Error{Errc::bad_model, "is over 2 GiB, more than any checkpoint that is known here"};
  std::vector<std::byte> bytes(static_cast<size_t>(status.st_size));
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t got = ::read(file.descriptor, bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return Error{Errc::bad_input,
                   got < 0 ? fmt::format("cannot be read: {}", strerror(errno)) : "got shorter"};
    at += static_cast<size_t>(got);
  }
  return bytes;
}

Error no_checkpoint(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                        std::min<size_t>(bytes.size(), 64));
  std::string what = "is not a PyTorch checkpoint (neither a zip file nor the older format)";
  if (bytes.empty())
    what = "is empty; get the file again";
  else if (text.starts_with("version https://git-lfs"))
    what = "is a Git LFS pointer, not the weights themselves; fetch them with git lfs pull";
  return {Errc::bad_model, what};
}

/// Walks through dictionaries and lists and finds the tensors.
class Walk {
 public:
  Walk(const Pickle& pickle, const Records& records) : pickle_(pickle), records_(records) {}

  Result<void> visit(Ref ref, const std::string& name, int depth) {
    const Object& object = pickle_[ref];
    if (object.kind == Kind::tensor) {
      VULTUS_TRY(CheckpointTensor tensor, describe_tensor(pickle_, object, name, records_));
      if (!names_.insert(name).second)
        return Error{Errc::bad_model, fmt::format("holds tensor '{}' twice", printable(name))};
      found.push_back(std::move(tensor));
      if (found.size() > kMaxTensors)
        return Error{Errc::bad_model, fmt::format("holds more than {} tensors", kMaxTensors)};
      return {};
    }
    if (object.kind != Kind::dict && object.kind != Kind::sequence) return {};
    if (depth == kMaxDepth)
      return Error{Errc::bad_model,
                   fmt::format("nests dictionaries and lists deeper than {}; save the weights "
                               "alone (torch.save(model.state_dict(), FILE))",
                               kMaxDepth)};
    return object.kind == Kind::dict ? dict(object, name, depth) : sequence(object, name, depth);
  }

  std::vector<CheckpointTensor> found;

 private:
  /// Objects may refer to each other in circles, or to one many times.
  Result<void> count(size_t members) {
    visits_ += members;
    if (visits_ > kMaxObjects)
      return Error{Errc::bad_model,
                   "refers to the same objects over and over: it is damaged or hostile, get the "
                   "file again"};
    return {};
  }
  Result<void> child(Ref ref, const std::string& parent, std::string_view key, int depth) {
    const Kind kind = pickle_[ref].kind;
    if (kind != Kind::dict && kind != Kind::sequence && kind != Kind::tensor) return {};
    if (parent.size() + key.size() >= kMaxNameBytes)
      return Error{Errc::bad_model, fmt::format("has a name of more than {} bytes: {}",
                                                kMaxNameBytes, printable(key))};
    return visit(ref, parent.empty() ? std::string(key) : fmt::format("{}/{}", parent, key),
                 depth + 1);
  }
  Result<void> dict(const Object& object, const std::string& name, int depth) {
    VULTUS_CHECK(count(object.items.size() / 2));
    for (size_t i = 0; i + 1 < object.items.size(); i += 2) {
      const Object& key = pickle_[object.items[i]];
      if (key.kind == Kind::text)
        VULTUS_CHECK(child(object.items[i + 1], name, key.text, depth));
      else if (key.kind == Kind::integer)
        VULTUS_CHECK(child(object.items[i + 1], name, std::to_string(key.integer), depth));
    }
    return {};
  }
  Result<void> sequence(const Object& object, const std::string& name, int depth) {
    VULTUS_CHECK(count(object.items.size()));
    for (size_t i = 0; i < object.items.size(); ++i)
      VULTUS_CHECK(child(object.items[i], name, std::to_string(i), depth));
    return {};
  }

  const Pickle& pickle_;
  const Records& records_;
  std::set<std::string> names_;
  size_t visits_ = 0;
};

}  // namespace

Result<Checkpoint> Checkpoint::read(const std::string& path) {
  auto named = [&](const Error& error) {
    return Error{error.code, fmt::format("{}: {}", path, error.what)};
  };
  auto bytes = read_file(path);
  if (!bytes) return named(bytes.error());
  auto checkpoint = parse(std::move(*bytes));
  if (!checkpoint) return named(checkpoint.error());
  return checkpoint;
}

Result<Checkpoint> Checkpoint::parse(std::vector<std::byte> bytes) {
  Checkpoint checkpoint;
  checkpoint.bytes_ = std::make_shared<std::vector<std::byte>>(std::move(bytes));
  std::span<const std::byte> view(*checkpoint.bytes_);
  if (!is_zip(view) && !is_legacy(view)) return no_checkpoint(view);
  VULTUS_TRY(Parts parts, is_zip(view) ? open_zip(view) : open_legacy(view));
  checkpoint.records_ = std::move(parts.records);
  Walk walk(parts.pickle, *checkpoint.records_);
  VULTUS_CHECK(walk.visit(parts.pickle.root, "", 0));
  if (walk.found.empty())
    return Error{Errc::bad_model, "holds no tensors; a checkpoint with weights is needed"};
  checkpoint.tensors_ = std::move(walk.found);
  return checkpoint;
}

Result<Tensor> Checkpoint::load(const CheckpointTensor& tensor) {
  if (tensor.shape.elements() > kMaxTensorBytes / 8)
    return Error{Errc::bad_model,
                 fmt::format("tensor '{}' has shape {}: too large for any network that is known "
                             "here",
                             printable(tensor.name), tensor.shape.str())};
  auto at = storages_.find(tensor.storage);
  if (at == storages_.end()) {
    VULTUS_TRY(std::vector<std::byte> bytes, records_->read(tensor.storage));
    at = storages_.emplace(tensor.storage, std::move(bytes)).first;
  }
  return gather(tensor, at->second);
}

}  // namespace vultus::torch
