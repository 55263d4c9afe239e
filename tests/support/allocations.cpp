#include "tests/support/allocations.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

namespace {

std::atomic<bool> counting = false;
std::atomic<int64_t> ours = 0, of_libraries = 0;
constexpr int kMaxFrames = 24;
void* first_frames[kMaxFrames];
std::atomic<int> first_count = 0;
thread_local bool inside = false;  // dladdr and backtrace may allocate themselves

std::string_view file_of(void* address) {
  Dl_info info;
  if (!dladdr(address, &info) || !info.dli_fname) return {};
  std::string_view path = info.dli_fname;
  return path.substr(path.rfind('/') + 1);
}

const std::string_view kProgram = [] {
  return file_of(reinterpret_cast<void*>(static_cast<void* (*)(size_t)>(&operator new)));
}();

void note() {
  if (!counting.load(std::memory_order_relaxed) || inside) return;
  inside = true;
  void* frames[kMaxFrames];
  int count = backtrace(frames, kMaxFrames);
  // This function and operator new, below AddressSanitizer's own backtrace where that is linked.
  int i = count > 0 && file_of(frames[0]).starts_with("libasan") ? 3 : 2;
  while (i < count && file_of(frames[i]).starts_with("libstdc++"))
    ++i;
  if (i < count && file_of(frames[i]) != kProgram) {
    ++of_libraries;
  } else if (ours++ == 0) {
    std::copy(frames, frames + count, first_frames);
    first_count = count;
  }
  inside = false;
}

void* allocate(size_t size, size_t alignment) {
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(std::max<size_t>(size, 1))
                     : std::aligned_alloc(alignment, (std::max<size_t>(size, 1) + alignment - 1) /
                                                         alignment * alignment);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Never inlined: `note` counts frames.
[[gnu::noinline]] void* operator new(size_t size) {
  note();
  return allocate(size, 1);
}
[[gnu::noinline]] void* operator new[](size_t size) {
  note();
  return allocate(size, 1);
}
[[gnu::noinline]] void* operator new(size_t size, std::align_val_t alignment) {
  note();
  return allocate(size, static_cast<size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](size_t size, std::align_val_t alignment) {
  note();
  return allocate(size, static_cast<size_t>(alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return operator new(size, std::nothrow);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace vultus::test {

AllocationCount::AllocationCount() {
  void* frame;
  backtrace(&frame, 1);  // loads the unwinder, once
  ::ours = 0;
  ::of_libraries = 0;
  first_count = 0;
  counting = true;
}

void AllocationCount::stop() {
  counting = false;
}

int64_t AllocationCount::ours() const {
  return ::ours;
}

int64_t AllocationCount::of_libraries() const {
  return ::of_libraries;
}

std::string AllocationCount::first() const {
  std::string text;
  for (int i = 0; i < first_count; ++i) {
    Dl_info info;
    if (dladdr(first_frames[i], &info) && info.dli_fbase)
      text += fmt::format("{}+{:#x}\n", info.dli_fname,
                          static_cast<char*>(first_frames[i]) - static_cast<char*>(info.dli_fbase));
  }
  return text;
}

}  // namespace vultus::test
