#pragma once

#include <dnnl.hpp>
#include <vector>

#include "host/core/tensor.hpp"
#include "host/cpu/program.hpp"

namespace vultus::cpu {

/// Constants that steps read in another layout than the network stores them in. oneDNN packs the
/// weights of one Winograd convolution on one thread, so all are converted together at the end, and
/// lie in one piece of memory: fresh pages cost as much as the conversion.
class Packing {
 public:
  explicit Packing(const dnnl::engine& engine) : engine_(engine) {}

  /// Elements at `source`, read as `from`, are wanted as `to`, of the same dims; `source` stays
  /// alive until `run`. Returns a number for `at`. Throws dnnl::error when oneDNN cannot do it.
  size_t add(const std::byte* source, const Desc& from, const Desc& to);
  /// Converts all on the calling thread's team. The memory lives as long as the tensor. Throws
  /// dnnl::error, std::bad_alloc.
  Tensor run();
  /// Where the elements are after `run`.
  std::byte* at(size_t number) const { return addresses_[number]; }

 private:
  struct Job {
    dnnl::reorder reorder;
    dnnl::memory source, target;
    Desc scratchpad;
  };

  dnnl::engine engine_;
  std::vector<Job> jobs_;
  std::vector<std::byte*> addresses_;
};

}  // namespace vultus::cpu
