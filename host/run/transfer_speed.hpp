#pragma once

#include "host/core/result.hpp"
#include "host/plan/cost_model.hpp"
#include "host/run/cost_source.hpp"

namespace vultus {

/// How fast tensors move between host memory and a GPU, its changes of layout included: kept, timed
/// with images of 64 channels, or modelled, as `options` say.
Result<TransferSpeed> transfer_speed(Device& gpu, const CostOptions& options);

}  // namespace vultus
