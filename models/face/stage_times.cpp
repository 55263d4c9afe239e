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

StageTimes::Stage& StageTimes::stage(std::string_view name) {
  auto at = std::ranges::find(stages_, name, &Stage::name);
  if (at == stages_.end()) {
    stages_.emplace_back();
    at = stages_.end() - 1;
    at->name = name;
  }
  return *at;
}

void StageTimes::Stage::add(double ms) {
  min_ms = calls == 0 ? ms : std::min(min_ms, ms);
  max_ms = std::max(max_ms, ms);
  ++calls;
  total_ms += ms;
  ++histogram[class_of(ms, kClasses)];
}

void StageTimes::add(std::string_view name, double ms) {
  std::lock_guard lock(mutex_);
  Stage& known = stage(name);
  known.add(ms);
  known.activity.ms += ms;
  activity_.ms += ms;
}

void StageTimes::begin(std::string_view name, Clock::time_point now) {
  std::lock_guard lock(mutex_);
  stage(name).activity.begin(now);
  activity_.begin(now);
}

void StageTimes::end(std::string_view name, Clock::time_point start, Clock::time_point now) {
  std::lock_guard lock(mutex_);
  Stage& known = stage(name);
  known.activity.end(now);
  activity_.end(now);
  known.add(std::chrono::duration<double, std::milli>(now - start).count());
}

double StageTimes::busy_ms() const {
  std::lock_guard lock(mutex_);
  return activity_.ms;
}

std::vector<StageTimes::Row> StageTimes::rows() const {
  std::lock_guard lock(mutex_);
  std::vector<Row> rows;
  for (const Stage& stage : stages_) {
    if (stage.calls == 0) continue;
    Row row{
        stage.name, stage.calls,  stage.total_ms, stage.total_ms / static_cast<double>(stage.calls),
        0,          stage.min_ms, stage.max_ms,   stage.activity.ms};
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
