#include <fmt/chrono.h>

#include <chrono>
#include <filesystem>

#include "models/image/image.hpp"
#include "models/process/job.hpp"
#include "models/process/program.hpp"
#include "models/report/performance.hpp"
#include "models/report/report.hpp"
#include "models/video/reader.hpp"

namespace vultus {

namespace {

report::Origin origin_of(const Pack& pack, const ProcessOptions& options, const std::string& input,
                         cv::Size picture) {
  report::Origin origin;
  origin.width = picture.width;
  origin.height = picture.height;
  origin.command = fmt::format("vultus process {}{}", input, options.command);
  origin.version = program();
  origin.date = fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::chrono::system_clock::now()));
  for (const auto& [role, network] : pack.networks)
    origin.networks.push_back({role, network.kind,
                               std::filesystem::path(network.path).filename().string(),
                               network.sha256});
  origin.pack_licence = pack.licence;
  origin.pack_notes = pack.notes;
  return origin;
}

void take_times(const face::StageTimes& times, std::chrono::steady_clock::time_point start,
                Summary& summary) {
  summary.stages = times.rows();
  summary.busy_seconds = times.busy_ms() / 1000;
  summary.run_seconds = face::StageTimes::ms_since(start) / 1000;
}

}  // namespace

Result<void> Processor::write_report(Job& job) {
  Summary& summary = job.summary;
  take_times(job.times, job.start, summary);
  if (options_.report) {
    face::StageTimes::Timer timer(&job.times, "report");
    VULTUS_TRY(const measure::MeasureOptions options, measuring(job));
    VULTUS_CHECK(
        report::write_report(job.file("report.html"),
                             {summary, origin_of(pack_, job.options, job.input, options.picture),
                              job.records(), options, job.sheet}));
    summary.outputs.push_back("report.html");
  }
  take_times(job.times, job.start, summary);
  VULTUS_CHECK(report::write_performance(job.folder.working(), summary));
  summary.outputs.insert(summary.outputs.end(), {"performance.txt", "performance.json"});
  return {};
}

}  // namespace vultus
