#include "models/process/process.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "models/face/mirror.hpp"
#include "models/image/image.hpp"
#include "models/process/landmark_csv.hpp"
#include "models/process/output_folder.hpp"
#include "models/process/renderer.hpp"
#include "models/video/reader.hpp"

namespace vultus {

using Clock = std::chrono::steady_clock;

namespace {

/// Size and time of change, which tell another file of the same name.
Result<std::string> source_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    return Error{Errc::bad_input, fmt::format("{}: {}", path, strerror(errno))};
  return fmt::format("{} bytes, changed {}.{:09}", status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

Transfers operator-(Transfers a, const Transfers& b) {
  a.uploads -= b.uploads;
  a.downloads -= b.downloads;
  a.upload_bytes -= b.upload_bytes;
  a.download_bytes -= b.download_bytes;
  return a;
}

std::string device_names(const std::vector<Device*>& devices) {
  std::string names;
  for (const Device* device : devices)
    names += (names.empty() ? "" : ", ") + device->info().name;
  return names;
}

/// What reading says is missing.
std::vector<std::string> lost_sentences(const ReadSummary& read) {
  std::vector<std::string> lost;
  if (read.lost_frames() > 0)
    lost.push_back(fmt::format("the file declares {} frames, {} could be decoded: {} are lost",
                               read.declared_frames, read.decoded_frames, read.lost_frames()));
  if (read.damaged_frames > 0)
    lost.push_back(fmt::format("{} frames were decoded with errors and are not measured",
                               read.damaged_frames));
  if (read.decoder_errors > 0)
    lost.push_back(fmt::format("{} packets could not be decoded", read.decoder_errors));
  return lost;
}

std::string frames(int64_t count) {
  return fmt::format("{} frame{}", count, count == 1 ? "" : "s");
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

/// What to know of the faces that were looked for, one sentence each. `restarts`: how often the
/// face had to be found anew; `most_faces`: found in one frame.
std::vector<std::string> face_sentences(const Summary& summary, const ProcessOptions& options,
                                        int restarts, size_t most_faces) {
  std::vector<std::string> notes;
  if (summary.frames_without_face == summary.frames)
    notes.push_back("no face was found: nothing was measured");
  if (restarts > 0)
    notes.push_back(
        fmt::format("the face was lost and found again, or the scene changed, {}: see "
                    "face_id; it may be another person",
                    restarts == 1 ? "once" : fmt::format("{} times", restarts)));
  if (!options.all_faces && most_faces > 1)
    notes.push_back(
        fmt::format("{} faces were found in a frame, and one of them measured, that "
                    "with the highest score: see the overlay, or use --faces all",
                    most_faces));
  if (options.mirror && summary.frames_without_face > 0)
    notes.push_back(fmt::format("{} without a face: unchanged in the mirrored videos or pictures",
                                frames(summary.frames_without_face)));
  return notes;
}

/// The frames are counted once more in the finished file, by its own index.
Result<void> verify_video(const std::string& path, int64_t frames) {
  VULTUS_TRY(VideoReader reader, VideoReader::open(path));
  if (reader.info().declared_frames != frames)
    return Error{Errc::mismatch, fmt::format("{}: holds {} frames, {} were written", path,
                                             reader.info().declared_frames, frames)};
  return {};
}

}  // namespace

/// One input while it is worked on.
struct Processor::Job {
  std::string input;
  OutputFolder& folder;
  Summary& summary;
  face::StageTimes& times;
  Clock::time_point start = Clock::now();

  std::string file(const char* name) const { return folder.working() + "/" + name; }
};

Processor::Processor(ProcessOptions options, Pack pack, std::unique_ptr<face::Detector> detector,
                     std::unique_ptr<face::Landmarker> landmarker)
    : options_(std::move(options)),
      pack_(std::move(pack)),
      detector_(std::move(detector)),
      landmarker_(std::move(landmarker)) {}

Result<std::unique_ptr<Processor>> Processor::open(ProcessOptions options) {
  if (options.out.empty()) return Error{Errc::usage, "no output folder given; use -o FOLDER"};
  if (options.search_every < 1)
    return Error{Errc::usage, "the whole frame must be searched every 1 or more frames"};
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
  VULTUS_TRY(auto detector, open_detector(pack, session));
  VULTUS_TRY(auto landmarker, open_landmarker(pack, session));
  return std::unique_ptr<Processor>(new Processor(std::move(options), std::move(pack),
                                                  std::move(detector), std::move(landmarker)));
}

std::string Processor::settings() const {
  std::string text =
      fmt::format("search every {}, {}, {}, mirror {}, overlay {}, {} on {}", options_.search_every,
                  options_.all_faces ? "all faces" : "one face", options_.smooth ? "smooth" : "raw",
                  options_.mirror, options_.overlay, name_of(options_.precision),
                  device_names(options_.devices));
  for (const auto& [role, network] : pack_.networks)
    text += fmt::format(", {} {}", role, network.sha256);
  return text;
}

Transfers Processor::transfers() const {
  return detector_->transfers() - (Transfers{} - landmarker_->transfers());
}

Result<void> Processor::check_cancelled(const Job& job) const {
  if (!options_.cancel || !options_.cancel->load()) return {};
  return Error{Errc::interrupted,
               fmt::format("{}: stopped after frame {}; nothing of it was kept. Run the same "
                           "command again: finished inputs are not done twice",
                           job.input, job.summary.frames)};
}

Result<Summary> Processor::run(const std::string& input, const std::string& name) {
  Summary summary;
  summary.input = input;
  summary.device = device_names(options_.devices);
  summary.precision = name_of(options_.precision);
  summary.pack = fmt::format("{} {}", pack_.name, pack_.version);
  summary.settings = settings();
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
      return *before;
    }
    if (std::filesystem::exists(std::filesystem::symlink_status(final, ignored)))
      return refuse_to_replace(final, before, summary);
  }

  const Transfers transfers_before = transfers();
  face::StageTimes times;
  if (!is_image_path(input)) {
    // Before anything is made: what cannot be opened leaves no trace.
    VULTUS_CHECK(VideoReader::open(input));
  } else {
    VULTUS_CHECK(read_image(input));
  }
  VULTUS_TRY(OutputFolder folder, OutputFolder::create(options_.out, name, options_.force));
  Job job{input, folder, summary, times};
  VULTUS_CHECK(is_image_path(input) ? run_image(job) : run_video(job));

  VULTUS_TRY(summary.faces,
             verify_landmark_csv(job.file("landmarks.csv"), landmarker_->scheme(), summary.frames));
  summary.complete = summary.lost.empty();
  summary.seconds = face::StageTimes::ms_since(job.start) / 1000;
  summary.fps = static_cast<double>(summary.frames) / summary.seconds;
  summary.transfers = transfers() - transfers_before;
  summary.stages = times.rows();
  VULTUS_CHECK(write_summary(job.file("summary.json"), summary));
  VULTUS_CHECK(folder.commit());
  summary.folder = folder.path();
  return summary;
}

Result<void> Processor::run_video(Job& job) {
  Summary& summary = job.summary;
  VULTUS_TRY(VideoReader reader, VideoReader::open(job.input));
  summary.video_fps = reader.info().frame_rate.value();
  VULTUS_TRY(LandmarkCsv csv,
             LandmarkCsv::create(job.file("landmarks.csv"), landmarker_->scheme()));
  VULTUS_TRY(auto renderer,
             Renderer::create({job.folder.working(), options_.mirror, options_.overlay},
                              reader.info(), &job.times));
  face::Tracker tracker(*detector_, *landmarker_,
                        {options_.search_every, options_.all_faces, options_.smooth}, &job.times);
  int front_id = -1, restarts = 0;
  while (true) {
    VULTUS_CHECK(check_cancelled(job));
    std::optional<Frame> frame;
    {
      face::StageTimes::Timer timer(&job.times, "decode");
      VULTUS_TRY(frame, reader.next());
    }
    if (!frame) break;
    ++summary.frames;
    std::vector<face::TrackedFace> faces;
    if (!frame->damaged) {
      VULTUS_TRY(faces, tracker.push(frame->bgr));
    }
    if (faces.empty()) ++summary.frames_without_face;
    if (!faces.empty()) {
      restarts += front_id >= 0 && faces.front().id != front_id;
      front_id = faces.front().id;
    }
    VULTUS_CHECK(csv.add(summary.frames, frame->seconds, faces));
    // A renderer that has failed takes no more; `finish` tells why.
    if (!renderer->push(std::move(*frame), std::move(faces))) break;
    if (options_.progress)
      options_.progress({job.input, summary.frames, reader.info().declared_frames,
                         face::StageTimes::ms_since(job.start) / 1000});
  }
  if (summary.frames == 0)
    return Error{Errc::bad_input, fmt::format("{}: no picture could be decoded", job.input)};
  VULTUS_TRY(auto written, renderer->finish());
  VULTUS_CHECK(csv.finish());

  const ReadSummary& read = reader.summary();
  summary.declared_frames = read.declared_frames;
  summary.lost_frames = read.lost_frames();
  summary.damaged_frames = read.damaged_frames;
  summary.lost = lost_sentences(read);
  summary.warnings = reader.info().warnings;
  summary.warnings.insert(summary.warnings.end(), read.warnings.begin(), read.warnings.end());
  const auto notes = face_sentences(summary, options_, restarts, tracker.most_faces());
  summary.warnings.insert(summary.warnings.end(), notes.begin(), notes.end());
  summary.outputs = {"landmarks.csv"};
  for (const Renderer::Written& video : written) {
    VULTUS_CHECK(verify_video(job.file(video.file.c_str()), summary.frames));
    summary.outputs.push_back(video.file);
    for (const std::string& warning : video.summary.warnings)
      summary.warnings.push_back(fmt::format("{}: {}", video.file, warning));
  }
  return {};
}

Result<void> Processor::run_image(Job& job) {
  Summary& summary = job.summary;
  VULTUS_CHECK(check_cancelled(job));
  VULTUS_TRY(cv::Mat picture, read_image(job.input));
  summary.frames = summary.declared_frames = 1;
  summary.outputs = {"landmarks.csv"};
  std::vector<face::Detection> found;
  {
    face::StageTimes::Timer timer(&job.times, "search");
    VULTUS_TRY(found, detector_->detect(picture));
  }
  const size_t most_faces = found.size();
  if (!options_.all_faces && found.size() > 1) found.resize(1);
  std::vector<face::TrackedFace> faces;
  for (const face::Detection& detection : found) {
    face::StageTimes::Timer timer(&job.times, "landmarks");
    VULTUS_TRY(face::Landmarks landmarks, landmarker_->measure(picture, detection.box));
    if (face::plausible(landmarks, detection.box))
      faces.push_back(
          {static_cast<int>(faces.size()), detection.score, detection.box, std::move(landmarks)});
  }
  summary.frames_without_face = faces.empty() ? 1 : 0;
  summary.warnings = face_sentences(summary, options_, 0, most_faces);
  VULTUS_TRY(LandmarkCsv csv,
             LandmarkCsv::create(job.file("landmarks.csv"), landmarker_->scheme()));
  VULTUS_CHECK(csv.add(1, std::nullopt, faces));
  VULTUS_CHECK(csv.finish());
  auto write = [&](const char* name, const cv::Mat& drawn) -> Result<void> {
    face::StageTimes::Timer timer(&job.times, "encode");
    VULTUS_CHECK(write_png(job.file(name), drawn));
    summary.outputs.push_back(name);
    return {};
  };
  if (options_.mirror) {
    face::MirroredPair pair;
    std::optional<face::Midline> midline;
    if (!faces.empty()) midline = face::midline_of(faces.front().landmarks);
    face::mirror_both(picture, midline, pair);
    VULTUS_CHECK(write("left_mirrored.png", pair.left));
    VULTUS_CHECK(write("right_mirrored.png", pair.right));
  }
  if (options_.overlay) VULTUS_CHECK(write("overlay.png", draw_faces(picture, faces, 1, 0)));
  return {};
}

Result<Summary> process_input(const std::string& path, ProcessOptions options) {
  VULTUS_TRY(auto processor, Processor::open(std::move(options)));
  return processor->run(path, output_names({path}).front());
}

}  // namespace vultus
