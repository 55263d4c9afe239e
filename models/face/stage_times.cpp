#include "models/face/stage_times.hpp"

#include <algorithm>
#include <cmath>

namespace vultus::face {

namespace {

/// From a microsecond up: class k begins at kShortest * kRatio^k.
constexpr double kShortestMs = 1e-3, kRatio = 1.02;

size_t class_of(double ms, size_t classes) {
  if (!(ms > kShortestMs)) return 0;
  double k = std::floor(std::log(ms / kShortestMs) / std::log(kRatio));
  return static_cast<size_t>(std::min(k, static_cast<double>(classes - 1)));
}

}  // namespace

void StageTimes::add(std::string_view stage, double ms) {
  std::lock_guard lock(mutex_);
  auto at = std::find_if(stages_.begin(), stages_.end(),
                         [&](const Stage& known) { return known.name == stage; });
  if (at == stages_.end()) {
    stages_.emplace_back();
    at = stages_.end() - 1;
    at->name = stage;
  }
  ++at->calls;
  at->total_ms += ms;
  ++at->histogram[class_of(ms, kClasses)];
}

std::vector<StageTimes::Row> StageTimes::rows() const {
  std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  for (const Stage& stage : stages_) {
    Row row{stage.name, stage.calls, stage.total_ms,
            stage.total_ms / static_cast<double>(stage.calls), 0};
    const auto wanted = static_cast<int64_t>(std::ceil(0.95 * static_cast<double>(stage.calls)));
    int64_t seen = 0;
    size_t k = 0;
    for (; k < kClasses - 1; ++k)
      if ((seen += stage.histogram[k]) >= wanted) break;
    row.p95_ms = kShortestMs * std::pow(kRatio, static_cast<double>(k) + 0.5);
    rows.push_back(row);
  }
  return rows;
}

}  // namespace vultus::face
