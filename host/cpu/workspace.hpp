#pragma once

#include <cstddef>
#include <memory>

namespace vultus::cpu {

/// Memory for the activations of partitions that never run at the same time. Only what is written
/// takes room.
class Workspace {
 public:
  /// Null where the system does not give the addresses.
  static std::shared_ptr<Workspace> reserve(size_t bytes);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  Workspace(std::byte* data, size_t size) : data_(data), size_(size) {}

  std::byte* data_;
  size_t size_;
};

}  // namespace vultus::cpu
