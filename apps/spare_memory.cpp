#include "apps/spare_memory.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

namespace vultus::app {

namespace {

/// Weights asked for huge pages, and the heap keeps that where they were only read: a few bytes
/// there would take 2 MiB each. Pages that are huge stay so.
void use_small_pages_in_the_heap() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0, end = 0;
    if (!line.ends_with("[heap]")) continue;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR, &begin, &end) == 2)
      madvise(reinterpret_cast<void*>(begin), end - begin, MADV_NOHUGEPAGE);
  }
}

}  // namespace

void keep_no_spare_memory() {
  // Encoders are made anew at every checkpoint: with heaps for each thread theirs would not fit
  // what the ones before have left.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_MMAP_THRESHOLD, 2 << 20);
  malloc_trim(0);
  use_small_pages_in_the_heap();
}

}  // namespace vultus::app
