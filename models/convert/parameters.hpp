#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/torch/checkpoint.hpp"

namespace vultus::convert {

/// The tensors of one state dict of a checkpoint, by the names its modules give them ("module." of
/// DataParallel taken off).
struct StateDict {
  std::shared_ptr<torch::Checkpoint> checkpoint;
  std::string where;  ///< "net", "state_dict"; empty for the top
  std::map<std::string, torch::CheckpointTensor> tensors;
};
/// Every dictionary of the checkpoint that holds tensors.
std::vector<StateDict> state_dicts(torch::Checkpoint checkpoint);

/// Hands a state dict's tensors to the network being written and keeps account: what is missing,
/// what has another shape, what is left over. Tensors are loaded only once their shape is right.
class Parameters {
 public:
  explicit Parameters(StateDict state) : state_(std::move(state)) {}

  /// float32 and finite, of that shape; zeros of no size when it is not, which `finish` tells.
  /// `trained`: it counts among the parameters (running means and fixed matrices do not).
  Tensor take(const std::string& name, const Shape& shape, bool trained = true);
  /// A key that takes no part; it need not be there. True when it is.
  bool skip(const std::string& name);
  /// bad_model, with a few names of each kind and how many there are, unless every tensor that was
  /// asked for was as it should be, and no tensor is left but those that begin with one of
  /// `ignored`. Adds a note for what was.
  Result<void> finish(const std::vector<std::string>& ignored, std::vector<std::string>& notes);

  size_t used() const { return used_; }
  int64_t parameters() const { return parameters_; }

 private:
  StateDict state_;
  std::set<std::string> known_;
  std::vector<std::string> missing_, misshapen_;
  std::optional<Error> unreadable_;  ///< the first
  size_t used_ = 0;
  int64_t parameters_ = 0;
};

}  // namespace vultus::convert
