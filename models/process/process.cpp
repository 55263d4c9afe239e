#include "models/process/process.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "models/image/image.hpp"
#include "models/process/guard.hpp"
#include "models/process/job.hpp"
#include "models/process/output_folder.hpp"
#include "models/process/program.hpp"
#include "models/process/run_manifest.hpp"
#include "models/process/verify.hpp"
#include "models/video/reader.hpp"

namespace vultus {

namespace {

/// Size and time of change, which tell another file of the same name.
Result<std::string> source_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    return Error{Errc::bad_input, fmt::format("{}: {}", path, strerror(errno))};
  return fmt::format("{} bytes, changed {}.{:09}", status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

std::string device_names(const std::vector<Device*>& devices) {
  std::string names;
  for (const Device* device : devices)
    names += (names.empty() ? "" : ", ") + device->info().name;
  return names;
}

int usual_batch(const std::vector<Device*>& devices) {
  const bool gpu = std::ranges::any_of(devices, [](const Device* device) {
    return device->info().kind == DeviceKind::gpu && !device->info().software;
  });
  return gpu ? ProcessOptions::kGpuBatch : 1;
}

/// Why results that are there already are not replaced. `before` is what their summary says.
Error refuse_to_replace(const std::string& folder, const std::optional<Summary>& before,
                        const Summary& wanted) {
  std::string why = "holds something else than finished results";
  if (before && before->source != wanted.source)
    why = fmt::format("holds the results of another recording or state of it ({})", before->input);
  else if (before && before->settings != wanted.settings)
    why = "holds results made with other options, another pack or on another device";
  else if (before)
    why = "holds results of which files are missing";
  return {
      Errc::unwritable,
      fmt::format("{}: {}; name another folder with -o, or replace it with --force", folder, why)};
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
  if (options.batch == 0) options.batch = usual_batch(options.devices);
  // The CPU computes in fp32 whatever was asked; the summary must not say otherwise.
  if (std::none_of(options.devices.begin(), options.devices.end(),
                   [](const Device* device) { return device->info().kind == DeviceKind::gpu; }))
    options.precision = Precision::fp32;
  VULTUS_TRY(Pack pack, load_pack(options.pack));
  SessionOptions session{options.devices, options.precision, {}};
  session.tuning = options.tuning;
  session.goal = options.goal;
  if (options.goal == Goal::fastest) session.costs = options.costs;
  VULTUS_TRY(Networks networks, Networks::open(pack, session, static_cast<size_t>(options.batch)));
  return std::unique_ptr<Processor>(
      new Processor(std::move(options), std::move(pack), std::move(networks)));
}

std::string Processor::settings() const {
  std::string text = fmt::format(
      "search every {}, {}, {}, mirror {}, overlay {}, openface {}, report {}, {} on {}",
      options_.search_every, options_.all_faces ? "all faces" : "one face",
      options_.smooth ? "smooth" : "raw", options_.mirror, options_.overlay, options_.openface,
      options_.report, name_of(options_.precision), device_names(options_.devices));
  text += fmt::format(", baseline {}, pupils {} mm apart{}", to_text(options_.baseline),
                      options_.pupil_distance_mm,
                      options_.sides.mirrored_input ? ", mirrored input" : "");
  if (options_.batch > 1) text += fmt::format(", batch {}", options_.batch);
  for (const auto& [role, network] : pack_.networks)
    text += fmt::format(", {} {}", role, network.sha256);
  return text;
}

TableLayout Processor::layout() const {
  auto multitask = pack_.networks.find("multitask");
  return {networks_.landmarker->scheme(),
          multitask == pack_.networks.end() ? usual_emotions() : multitask->second.emotions};
}

face::TrackerOptions Processor::tracking() const {
  return {options_.search_every, options_.all_faces, options_.smooth};
}

std::string Processor::Job::identity() const {
  return fmt::format("{}; {}; {}", program(), summary.settings, summary.source);
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
  const std::string& folder = job.folder.working();
  VULTUS_CHECK(write_run_manifest(folder, summary, pack_, options_.devices, options_.command_line));
  // What is on the disk counts, not what was meant to be written. The sums were just made of it.
  VULTUS_TRY(Verification found, verify_results(folder, false));
  if (!found.differences.empty()) return Error{Errc::mismatch, found.differences.front()};
  return {};
}

Result<Summary> Processor::run(const std::string& input, const std::string& name) {
  return guarded([&] { return run_alone(input, name); });
}

Result<Summary> Processor::run_alone(const std::string& input, const std::string& name) {
  Summary summary;
  summary.input = input;
  summary.device = device_names(options_.devices);
  summary.precision = name_of(options_.precision);
  summary.pack = fmt::format("{} {}", pack_.name, pack_.version);
  summary.settings = settings();
  summary.batch = options_.batch;
  VULTUS_TRY(summary.source, source_of(input));
  const std::string final = options_.out + "/" + name;
  if (!options_.force) {
    std::optional<Summary> before = read_summary(final + "/summary.json");
    std::error_code ignored;
    auto is_there = [&](const std::string& file) {
      return std::filesystem::file_size(std::filesystem::path(final) / file, ignored) > 0 &&
             !ignored;
    };
    if (before && before->source == summary.source && before->settings == summary.settings &&
        std::all_of(before->outputs.begin(), before->outputs.end(), is_there)) {
      before->skipped = true;
      before->folder = final;
      OutputFolder::tidy(final);
      return *before;
    }
    if (std::filesystem::exists(std::filesystem::symlink_status(final, ignored)))
      return refuse_to_replace(final, before, summary);
  }

  // Before anything is made: what cannot be opened leaves no trace.
  if (is_image_path(input)) {
    VULTUS_CHECK(read_image(input));
  } else {
    VULTUS_CHECK(VideoReader::open(input));
  }
  face::StageTimes times;
  VULTUS_TRY(OutputFolder folder, OutputFolder::create(options_.out, name, options_.force));
  if (options_.force) folder.clear();
  Job job{input, folder, summary, times};
  // Here, so that what an exception leaves is kept as what an error leaves.
  Result<void> worked = guarded([&] { return work(job); });
  if (worked) worked = folder.commit();
  if (!worked) return what_is_kept(worked.error(), folder);
  summary.folder = folder.path();
  return summary;
}

Result<Summary> process_input(const std::string& path, ProcessOptions options) {
  VULTUS_TRY(auto processor, Processor::open(std::move(options)));
  return processor->run(path, output_names({path}).front());
}

}  // namespace vultus
