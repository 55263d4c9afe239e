#include "host/cpu/packing.hpp"

#include <omp.h>

#include <algorithm>
#include <exception>

#include "host/cpu/builder.hpp"
#include "host/cpu/threads.hpp"

namespace vultus::cpu {

namespace {

constexpr int64_t kAlignment = 64;

int64_t size_of(const Desc& desc) {
  return static_cast<int64_t>(desc.get_size());
}

int64_t room_for(const Desc& desc) {
  return (size_of(desc) + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

size_t Packing::add(const std::byte* source, const Desc& from, const Desc& to) {
  dnnl::memory read(from, engine_, const_cast<std::byte*>(source));
  dnnl::memory written(to, engine_, DNNL_MEMORY_NONE);
  // With scratchpads of ours: oneDNN's own would be fresh pages for every job.
  dnnl::reorder::primitive_desc pd(read, written, attributes());
  jobs_.push_back({dnnl::reorder(pd), read, written, pd.scratchpad_desc()});
  return jobs_.size() - 1;
}

Tensor Packing::run() {
  int64_t bytes = 0, scratch_bytes = 0;
  for (const Job& job : jobs_) {
    bytes += room_for(job.target.get_desc());
    scratch_bytes = std::max(scratch_bytes, size_of(job.scratchpad));
  }
  Tensor packed = Tensor::uninitialised(DType::u8, {bytes});
  std::byte* next = packed.bytes();
  for (Job& job : jobs_) {
    addresses_.push_back(next);
    job.target.set_data_handle(next);
    next += room_for(job.target.get_desc());
  }
  std::vector<Tensor> scratch;
  for (int i = 0; i < team_size(); ++i)
    scratch.push_back(Tensor::uninitialised(DType::u8, {scratch_bytes}));
  // The big ones first, so that no thread begins one when the others have finished.
  std::ranges::stable_sort(jobs_, std::greater(),
                           [](const Job& job) { return size_of(job.target.get_desc()); });
  std::exception_ptr failed;
#pragma omp parallel for schedule(dynamic)
  for (Job& job : jobs_) {
    try {
      std::byte* own = scratch[static_cast<size_t>(omp_get_thread_num())].bytes();
      dnnl::stream stream(engine_);
      // Padding must be zero; reorders of oneDNN see to it where the descriptor tells them.
      job.reorder.execute(stream, {{DNNL_ARG_FROM, job.source},
                                   {DNNL_ARG_TO, job.target},
                                   {DNNL_ARG_SCRATCHPAD, {job.scratchpad, engine_, own}}});
      stream.wait();
    } catch (...) {
#pragma omp critical(vultus_packing)
      failed = std::current_exception();
    }
  }
  if (failed) std::rethrow_exception(failed);
  jobs_.clear();
  return packed;
}

}  // namespace vultus::cpu
