#include "host/graph/signature.hpp"

#include <type_traits>

#include "host/core/cache_file.hpp"

namespace vultus {

namespace {

/// Everything one after the other, lengths before contents.
class Digest {
 public:
  void add(const void* data, size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void add(T number) { add(&number, sizeof(number)); }
  void add(std::string_view text) {
    add(text.size());
    add(text.data(), text.size());
  }
  template <class T>
  void add(const std::vector<T>& list) {
    add(list.size());
    for (const T& item : list)
      add(item);
  }
  void add(const std::string& text) { add(std::string_view(text)); }
  void add(const Shape& shape) {
    add(shape.rank());
    for (int64_t size : shape)
      add(size);
  }
  void add(const std::shared_ptr<const Tensor>& tensor) {
    if (tensor) add(tensor->shape());
  }
  uint64_t value() const { return checksum_of(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace

uint64_t signature(const Graph& graph) {
  Digest digest;
  for (const Value& value : graph.values) {
    digest.add(static_cast<int>(value.dtype));
    digest.add(value.shape);
    digest.add(value.constant != nullptr);
  }
  for (const Node& node : graph.nodes) {
    digest.add(node.op);
    digest.add(node.inputs);
    digest.add(node.outputs);
    digest.add(node.attributes.size());
    for (const auto& [name, attribute] : node.attributes) {
      digest.add(name);
      digest.add(attribute.index());
      std::visit([&](const auto& value) { digest.add(value); }, attribute);
    }
  }
  digest.add(graph.inputs);
  digest.add(graph.outputs);
  return digest.value();
}

}  // namespace vultus
