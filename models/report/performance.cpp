#include "models/report/performance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "models/file/file.hpp"
#include "report/text.hpp"

namespace vultus::report {

namespace {

struct StageWords {
  std::string_view name, words;
  bool network;
};
constexpr std::array<StageWords, 15> kStages{
    {{"decode", "video decoding", false},
     {"search", "face search, whole frame", true},
     {"detect", "face detection near the last one", true},
     {"follow", "detection, landmarks, action units together", true},
     {"landmarks", "landmarks", true},
     {"smooth", "smoothing of landmarks", false},
     {"expression", "action units, emotion, gaze", true},
     {"mirror", "mirroring of both halves", false},
     {"overlay", "drawing of the overlay", false},
     {"convert", "pictures made ready for encoding", false},
     {"encode", "video encoding, all videos", false},
     {"join", "joining of the videos' parts", false},
     {"skip", "decoding up to where an earlier run ended", false},
     {"tables", "tables and the asymmetry sheet", false},
     {"report", "this page", false}}};

std::vector<face::StageTimes::Row> by_total(const Summary& summary) {
  std::vector<face::StageTimes::Row> rows = summary.stages;
  std::ranges::stable_sort(rows, std::greater{}, &face::StageTimes::Row::total_ms);
  return rows;
}

double share_of(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

std::string_view device_of_stage(std::string_view stage, const Summary& summary) {
  const auto known = std::ranges::find(kStages, stage, &StageWords::name);
  return known != kStages.end() && known->network ? std::string_view(summary.device) : "CPU";
}

std::string_view describe_stage(std::string_view stage) {
  const auto known = std::ranges::find(kStages, stage, &StageWords::name);
  return known == kStages.end() ? stage : known->words;
}

Workload workload_of(const Summary& summary) {
  Workload load;
  for (const face::StageTimes::Row& row : summary.stages)
    load.thread_seconds += row.total_ms / 1000;
  load.at_once = share_of(load.thread_seconds, summary.busy_seconds);
  load.idle_seconds = std::max(0.0, summary.run_seconds - summary.busy_seconds);
  return load;
}

std::string stages_cover(const Summary& summary) {
  if (summary.measured_before == 0) return {};
  const auto frames = static_cast<double>(summary.frames);
  const int64_t here = summary.frames - summary.measured_before;
  const std::string run =
      fmt::format("The stages are those of the last run alone ({} s)", number(summary.run_seconds));
  if (here == 0)
    return fmt::format(
        "{}, which measured none of the {}: it made tables and pages of what was measured before.",
        run, count(frames, "frame"));
  return fmt::format("{}, which measured {} of the {}; earlier runs measured the others.", run,
                     count(static_cast<double>(here)), count(frames, "frame"));
}

std::string performance_text(const Summary& summary) {
  const Workload load = workload_of(summary);
  const std::string line(100, '='), cover = stages_cover(summary);
  std::string out = fmt::format(
      "{0}\nPERFORMANCE REPORT\n{0}\nInput:             {1}\nFrames:            {2}{9}\n"
      "Wall clock:        {3:.3f} s ({4:.2f} frames/s)\n"
      "Sum over threads:  {5:.3f} s; stages overlap: {6:.2f} at once on average\n"
      "Outside of stages: {7:.3f} s of this run's {8:.3f} s\n{10}{11}\n",
      line, clean(summary.input), summary.frames, summary.seconds, summary.fps, load.thread_seconds,
      load.at_once, load.idle_seconds, summary.run_seconds,
      summary.batch > 1 ? fmt::format(", up to {} measured together", summary.batch) : "",
      cover.empty() ? cover
                    : fmt::format("Several runs:      the wall clock is of all runs. {}\n", cover),
      summary.networks_ran.empty() ? ""
                                   : fmt::format("On the GPU:        {}\n", summary.networks_ran));
  out += fmt::format("{:<12} {:>8} {:>10} {:>10} {:>10} {:>10} {:>10} {:>6}  {}\n", "Stage",
                     "Count", "Total s", "Avg ms", "Min ms", "Max ms", "Clock s", "%", "Device");
  for (const face::StageTimes::Row& row : by_total(summary))
    out +=
        fmt::format("{:<12} {:>8} {:>10.3f} {:>10.2f} {:>10.2f} {:>10.2f} {:>10.3f} {:>6.1f}  {}\n",
                    row.name, row.calls, row.total_ms / 1000, row.mean_ms, row.min_ms, row.max_ms,
                    row.busy_ms / 1000, 100 * share_of(row.total_ms / 1000, load.thread_seconds),
                    device_of_stage(row.name, summary));
  return out +
         "\nTotal: summed over threads. Clock: wall clock while at least one call of the "
         "stage ran.\n%: of the sum over threads.\n" +
         line + "\nEND OF REPORT\n" + line + "\n";
}

std::string performance_json(const Summary& summary) {
  using Json = nlohmann::ordered_json;
  const Workload load = workload_of(summary);
  Json stages = Json::array();
  for (const face::StageTimes::Row& row : by_total(summary))
    stages.push_back({{"name", row.name},
                      {"device", device_of_stage(row.name, summary)},
                      {"count", row.calls},
                      {"total_ms", row.total_ms},
                      {"mean_ms", row.mean_ms},
                      {"min_ms", row.min_ms},
                      {"max_ms", row.max_ms},
                      {"p95_ms", row.p95_ms},
                      {"wall_ms", row.busy_ms},
                      {"share", share_of(row.total_ms / 1000, load.thread_seconds)}});
  const Json object{{"schema", 1},
                    {"input", summary.input},
                    {"frames", summary.frames},
                    {"frames_of_stages", summary.frames - summary.measured_before},
                    {"batch", summary.batch},
                    {"frames_per_second", summary.fps},
                    {"wall_seconds", summary.seconds},
                    {"run_wall_seconds", summary.run_seconds},
                    {"thread_seconds", load.thread_seconds},
                    {"busy_seconds", summary.busy_seconds},
                    {"idle_seconds", load.idle_seconds},
                    {"stages_at_once", load.at_once},
                    {"networks_ran", summary.networks_ran},
                    {"stages", stages}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<void> write_performance(const std::string& folder, const Summary& summary) {
  VULTUS_CHECK(write_file(folder + "/performance.txt", performance_text(summary)));
  return write_file(folder + "/performance.json", performance_json(summary));
}

}  // namespace vultus::report
