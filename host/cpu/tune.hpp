#pragma once

#include <dnnl.hpp>

#include "host/core/result.hpp"
#include "host/cpu/conv_timings.hpp"
#include "host/run/device.hpp"

namespace vultus::cpu {

/// Times the forms of a partition's convolutions that were not timed yet, inside the whole
/// partition: with the layouts, activations, reorders and warm or cold weights that they have
/// there. Keeps what was clearly the fastest. Throws dnnl::error, std::bad_alloc.
Result<void> tune(const Graph& graph, const PartitionSpec& spec, const dnnl::engine& engine,
                  ConvTimings& timings);

}  // namespace vultus::cpu
