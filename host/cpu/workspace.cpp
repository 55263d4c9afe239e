#include "host/cpu/workspace.hpp"

#include <sys/mman.h>

namespace vultus::cpu {

std::shared_ptr<Workspace> Workspace::reserve(size_t bytes) {
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return nullptr;
  madvise(data, bytes, MADV_HUGEPAGE);
  return std::shared_ptr<Workspace>(new Workspace(static_cast<std::byte*>(data), bytes));
}

Workspace::~Workspace() {
  ::munmap(data_, size_);
}

}  // namespace vultus::cpu
