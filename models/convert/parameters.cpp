#include "models/convert/parameters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace vultus::convert {

namespace {

constexpr std::string_view kDataParallel = "module.";

/// "a, b, c and 12 more".
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 4;
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i)
    shown.push_back(torch::printable(names[i]));
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

void add_part(std::string& text, std::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return;
  text += fmt::format("{}{} {} ({})", text.empty() ? "" : "; ", names.size(), what, some_of(names));
}

}  // namespace

std::vector<StateDict> state_dicts(torch::Checkpoint checkpoint) {
  auto shared = std::make_shared<torch::Checkpoint>(std::move(checkpoint));
  std::vector<StateDict> found;
  for (const torch::CheckpointTensor& tensor : shared->tensors()) {
    const size_t slash = tensor.name.rfind('/');
    std::string where = slash == std::string::npos ? "" : tensor.name.substr(0, slash);
    std::string name = slash == std::string::npos ? tensor.name : tensor.name.substr(slash + 1);
    if (name.starts_with(kDataParallel)) name.erase(0, kDataParallel.size());
    auto at = std::ranges::find(found, where, &StateDict::where);
    if (at == found.end()) at = found.insert(found.end(), {shared, std::move(where), {}});
    at->tensors.emplace(std::move(name), tensor);
  }
  return found;
}

Tensor Parameters::take(const std::string& name, const Shape& shape, bool trained) {
  const Tensor none(DType::f32, {0});
  known_.insert(name);
  auto at = state_.tensors.find(name);
  if (at == state_.tensors.end()) {
    missing_.push_back(name);
    return none.clone();
  }
  if (at->second.shape != shape) {
    misshapen_.push_back(
        fmt::format("{} is {} instead of {}", name, at->second.shape.str(), shape.str()));
    return none.clone();
  }
  auto fail = [&](Error error) {
    if (!unreadable_) unreadable_ = std::move(error);
    return none.clone();
  };
  auto tensor = state_.checkpoint->load(at->second);
  if (!tensor) return fail(tensor.error());
  if (tensor->dtype() != DType::f32)
    return fail({Errc::bad_model, fmt::format("tensor '{}' is {}; float32 is needed", name,
                                              name_of(tensor->dtype()))});
  if (!std::ranges::all_of(tensor->as<float>(), [](float v) { return std::isfinite(v); }))
    return fail({Errc::bad_model, fmt::format("tensor '{}' holds infinities or NaN: training had "
                                              "diverged, or the file is damaged",
                                              name)});
  ++used_;
  if (trained) parameters_ += shape.elements();
  return std::move(*tensor);
}

bool Parameters::skip(const std::string& name) {
  known_.insert(name);
  return state_.tensors.contains(name);
}

Result<void> Parameters::finish(const std::vector<std::string>& ignored,
                                std::vector<std::string>& notes) {
  std::vector<std::string> extra, dropped;
  for (const auto& [name, tensor] : state_.tensors) {
    if (known_.contains(name)) continue;
    const bool wanted = std::ranges::any_of(
        ignored, [&](const std::string& prefix) { return name.starts_with(prefix); });
    (wanted ? dropped : extra).push_back(name);
  }
  std::string wrong;
  add_part(wrong, "tensors are missing", missing_);
  add_part(wrong, "have another shape", misshapen_);
  add_part(wrong, "are left over", extra);
  if (!wrong.empty()) {
    if (missing_.empty() && misshapen_.empty())
      wrong += "; --ignore PREFIX leaves tensors out that you know take no part";
    return Error{Errc::bad_model, wrong};
  }
  if (unreadable_) return *unreadable_;
  if (!dropped.empty())
    notes.push_back(
        fmt::format("ignored, as asked: {} tensors ({})", dropped.size(), some_of(dropped)));
  return {};
}

}  // namespace vultus::convert
