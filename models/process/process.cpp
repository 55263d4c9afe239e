#include "models/process/process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "models/image/image.hpp"
#include "models/process/checkpoint.hpp"
#include "models/process/guard.hpp"
#include "models/process/job.hpp"
#include "models/process/outlook.hpp"
#include "models/process/output_folder.hpp"
#include "models/process/program.hpp"
#include "models/process/run_manifest.hpp"
#include "models/process/settings.hpp"
#include "models/process/verify.hpp"
#include "models/video/reader.hpp"

namespace vultus {

namespace {

int usual_batch(const std::vector<Device*>& devices) {
  const bool gpu = std::ranges::any_of(devices, [](const Device* device) {
    return device->info().kind == DeviceKind::gpu && !device->info().software;
  });
  return gpu ? ProcessOptions::kGpuBatch : 1;
}

/// The error, and what the next run will find.
Error what_is_kept(Error error, OutputFolder& folder) {
  // What is damaged would stop every later run as well.
  if (error.code == Errc::mismatch) folder.keep(false);
  if (error.code == Errc::interrupted || !folder.kept()) return error;
  error.what += fmt::format(
      "; what was measured is kept in {}: when that is mended, the same command again goes on "
      "from there",
      folder.working());
  return error;
}

}  // namespace

int ProcessOptions::frames_together() const {
  return batch > 0 ? batch : usual_batch(devices);
}

Processor::Processor(ProcessOptions options, Pack pack, Networks networks)
    : options_(std::move(options)), pack_(std::move(pack)), networks_(std::move(networks)) {}

Result<std::unique_ptr<Processor>> Processor::open(ProcessOptions options) {
  if (options.out.empty()) return Error{Errc::usage, "no output folder given; use -o FOLDER"};
  if (options.search_every < 1)
    return Error{Errc::usage, "the whole frame must be searched every 1 or more frames"};
  if (!(options.pupil_distance_mm >= measure::kLeastPupilDistance &&
        options.pupil_distance_mm <= measure::kMostPupilDistance))
    return Error{Errc::usage,
                 fmt::format("pupils are {} to {} mm apart, not {}", measure::kLeastPupilDistance,
                             measure::kMostPupilDistance, options.pupil_distance_mm)};
  if (options.batch < 0 || options.batch > ProcessOptions::kMostBatch)
    return Error{Errc::usage, fmt::format("{} frames cannot be measured together: 1 to {} can",
                                          options.batch, ProcessOptions::kMostBatch)};
  if (options.devices.empty()) return Error{Errc::no_device, "no device to run the networks on"};
  // The CPU computes in fp32 whatever was asked; the summary must not say otherwise.
  if (std::none_of(options.devices.begin(), options.devices.end(),
                   [](const Device* device) { return device->info().kind == DeviceKind::gpu; }))
    options.precision = Precision::fp32;
  VULTUS_TRY(Pack pack, load_pack(options.pack));
  SessionOptions session{options.devices, options.precision, {}};
  session.tuning = options.tuning;
  session.goal = options.goal;
  if (options.goal == Goal::fastest) session.costs = options.costs;
  VULTUS_TRY(Networks networks,
             Networks::open(pack, session, static_cast<size_t>(options.frames_together())));
  return std::unique_ptr<Processor>(
      new Processor(std::move(options), std::move(pack), std::move(networks)));
}

TableLayout Processor::layout() const {
  auto multitask = pack_.networks.find("multitask");
  return {networks_.landmarker->scheme(),
          multitask == pack_.networks.end() ? usual_emotions() : multitask->second.emotions};
}

face::TrackerOptions Processor::tracking() const {
  return {options_.search_every, options_.all_faces, options_.smooth};
}

Result<void> Processor::work(Job& job) {
  Summary& summary = job.summary;
  const Transfers transfers_before = networks_.transfers();
  if (is_image_path(job.input)) {
    VULTUS_CHECK(run_image(job));
    summary.transfers = networks_.transfers() - transfers_before;
  } else {
    VULTUS_CHECK(run_video(job));
  }
  summary.complete = summary.lost.empty();
  summary.fps = static_cast<double>(summary.frames) / summary.seconds;
  VULTUS_CHECK(write_report(job));
  VULTUS_TRY(summary.faces, Tables::verify(job.folder.working(), layout(), summary.frames));
  VULTUS_CHECK(write_summary(job.file("summary.json"), summary));
  summary.measured_by = job.identity.substr(0, job.identity.find(';'));
  const std::string& folder = job.folder.working();
  VULTUS_TRY(const measure::MeasureOptions measured, measuring(job));
  VULTUS_CHECK(
      write_run_manifest(folder, summary, pack_, options_.devices,
                         {options_.command_line, job.options.again ? job.options.again(job.input)
                                                                   : std::vector<std::string>()},
                         measured));
  // What is on the disk counts, not what was meant to be written. The sums were just made of it.
  VULTUS_TRY(Verification found, verify_results(folder, Depth::contents));
  if (!found.differences.empty()) return Error{Errc::mismatch, found.differences.front()};
  return {};
}

Result<void> Processor::take_back(Job& job) const {
  VULTUS_CHECK(job.folder.take_back());
  auto kept = Checkpoint::load(job.folder.checkpoint());
  // Another build of the program may have measured; what it measured is what is there.
  const std::string measured = measured_from(job.summary.options, job.summary.source);
  if (kept && kept->identity.ends_with("; " + measured)) job.identity = kept->identity;
  return {};
}

Result<Summary> Processor::run(const std::string& input, const std::string& name) {
  return guarded([&] { return run_alone(input, name); });
}

Result<Summary> Processor::run_alone(const std::string& input, const std::string& name) {
  VULTUS_CHECK(OutputFolder::recover(options_.out, name));
  VULTUS_TRY(Outlook outlook, look_ahead(options_, pack_, input, name));
  if (outlook.action == Outlook::Action::refuse) return *outlook.refusal;
  if (outlook.action == Outlook::Action::skip) {
    outlook.before->skipped = true;
    outlook.before->folder = outlook.folder;
    outlook.before->kept = outlook.kept;
    OutputFolder::tidy(options_.out, name);
    return *outlook.before;
  }
  // Before anything is made: what cannot be opened leaves no trace.
  const bool is_video = !is_image_path(input);
  if (is_video) {
    VULTUS_CHECK(VideoReader::open(input));
  } else {
    VULTUS_CHECK(read_image(input));
  }
  Summary summary;
  summary.input = input;
  std::error_code unknown;
  summary.input_path = std::filesystem::absolute(input, unknown).lexically_normal().string();
  summary.device = device_names(options_.devices);
  summary.precision = name_of(options_.precision);
  summary.pack = fmt::format("{} {}", pack_.name, pack_.version);
  summary.source = outlook.source;
  summary.batch = options_.frames_together();
  const ProcessOptions options = with_settings(options_, outlook.kept);
  summary.options = settings_of(options, pack_);
  summary.settings = to_text(summary.options);
  summary.remade = outlook.differences;
  summary.kept = outlook.kept;
  const bool replaces = options_.force || outlook.action == Outlook::Action::remake;
  face::StageTimes times;
  VULTUS_TRY(OutputFolder folder, OutputFolder::create(options_.out, name, replaces));
  if (replaces) folder.clear();
  Job job{input, folder, summary, times, options};
  job.identity = fmt::format("{}; {}", program(), measured_from(summary.options, summary.source));
  // One picture is measured again: that is as quick.
  job.remake = is_video && outlook.action == Outlook::Action::remake;
  if (job.remake) VULTUS_CHECK(take_back(job));
  // Here, so that what an exception leaves is kept as what an error leaves.
  Result<void> worked = guarded([&] { return work(job); });
  if (!worked && job.remake) folder.keep(false);
  if (worked) worked = folder.commit();
  if (!worked) return what_is_kept(worked.error(), folder);
  summary.folder = folder.path();
  return summary;
}

Result<Summary> process_input(const std::string& path, ProcessOptions options) {
  VULTUS_TRY(auto processor, Processor::open(std::move(options)));
  return processor->run(path, output_names({{path, false}}).front());
}

}  // namespace vultus
