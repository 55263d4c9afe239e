#include "host/run/run_times.hpp"

#include <algorithm>
#include <span>
#include <tuple>

namespace vultus {

double ms_between(Moment from, Moment to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::upload:
      return "upload";
    case Stage::compute:
      return "compute";
    case Stage::read_back:
      return "read_back";
  }
  return "";
}

double RunTimes::sum_ms(Stage stage) const {
  double sum = 0;
  for (const RunSpan& span : spans)
    if (span.stage == stage) sum += span.ms;
  return sum;
}

double RunTimes::covered_ms() const {
  double covered = 0, until = 0;
  for (const RunSpan& span : spans) {
    const double end = span.start_ms + span.ms;
    covered += std::max(0.0, end - std::max(until, span.start_ms));
    until = std::max(until, end);
  }
  return covered;
}

double RunTimes::overlap_ms() const {
  double sum = 0;
  for (const RunSpan& span : spans)
    sum += span.ms;
  // Less than a nanosecond is rounding.
  const double overlap = sum - covered_ms();
  return overlap > 1e-6 ? overlap : 0;
}

RunClock::RunClock(size_t partitions) : notes_(partitions) {
  times_.spans.reserve(partitions * Notes().notes.size());
}

void RunClock::begin() {
  for (Notes& of : notes_)
    of.count = 0, of.device_clock = true;
  begin_ = std::chrono::steady_clock::now();
}

void RunClock::note(size_t partition, Stage stage, Moment from, Moment to) {
  Notes& of = notes_[partition];
  if (from < to && of.count < of.notes.size()) of.notes[of.count++] = {stage, from, to};
}

void RunClock::note(size_t partition, const DeviceTimes& times, Moment from, Moment to) {
  auto within = [&](Moment moment) { return std::clamp(moment, from, to); };
  note(partition, Stage::upload, within(times.begin), within(times.compute));
  note(partition, Stage::compute, within(times.compute), within(times.read_back));
  note(partition, Stage::read_back, within(times.read_back), within(times.end));
}

void RunClock::finish() {
  const Moment end = std::chrono::steady_clock::now();
  times_.wall_ms = ms_between(begin_, end);
  times_.device_clock = true;
  times_.spans.clear();
  for (size_t p = 0; p < notes_.size(); ++p) {
    times_.device_clock = times_.device_clock && notes_[p].device_clock;
    for (const Note& n : std::span(notes_[p].notes).first(notes_[p].count))
      times_.spans.push_back({p, n.stage, ms_between(begin_, n.from), ms_between(n.from, n.to)});
  }
  std::ranges::sort(times_.spans, {}, [](const RunSpan& span) {
    return std::tuple(span.start_ms, span.partition, span.stage);
  });
}

}  // namespace vultus
