#include "apps/dry_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "models/image/image.hpp"
#include "models/process/outlook.hpp"
#include "models/process/output_folder.hpp"
#include "models/process/settings.hpp"
#include "models/video/reader.hpp"
#include "models/video/writer.hpp"

namespace vultus::app {

namespace {

namespace fs = std::filesystem;
using Action = Outlook::Action;
using Clock = std::chrono::steady_clock;

constexpr int kFirstFrames = 4, kSampleFrames = 40;  // the first are slower: caches, first search
constexpr size_t kSampledSizes = 3;
constexpr double kMiB = 1024.0 * 1024;
constexpr double kDrawnOverPlain = 1.4, kTableBytesPerFrame = 1930, kReportBytes = 150e3;

struct Input {
  std::string path;
  std::optional<Error> error;  ///< it will not be done
  cv::Size size = {};
  double frames = 0, video_seconds = 0;
  Outlook outlook = {};

  /// Frames that are left to measure.
  double left() const {
    if (error || outlook.action > Action::resume) return 0;
    return std::max(frames - static_cast<double>(outlook.measured), 0.0);
  }
  double pixels() const { return static_cast<double>(size.area()); }
};

/// What a frame of some size costs.
struct Sample {
  double pixels = 0, seconds_per_frame = 0, bytes_per_frame = 0;
  double bytes_per_input = 0;
};

Result<void> open(Input& input) {
  if (is_image_path(input.path)) {
    VULTUS_TRY(cv::Mat picture, read_image(input.path));
    input.size = picture.size();
    input.frames = 1;
    return {};
  }
  VULTUS_TRY(VideoReader reader, VideoReader::open(input.path));
  const VideoInfo& info = reader.info();
  input.size = info.size;
  input.video_seconds = info.duration_seconds;
  input.frames = static_cast<double>(info.declared_frames);
  if (info.declared_frames == 0) input.frames = info.duration_seconds * info.frame_rate.value();
  return {};
}

/// The checks of the run itself.
Result<void> examine(const ProcessOptions& settings, const Pack& pack, const std::string& name,
                     Input& input) {
  VULTUS_CHECK(open(input));
  VULTUS_TRY(input.outlook, look_ahead(settings, pack, input.path, name));
  if (input.outlook.refusal) return *input.outlook.refusal;
  if (input.outlook.action == Action::skip) return {};
  return OutputFolder::check_writable(settings.out);
}

double bytes_in(const fs::path& folder) {
  double bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    if (std::error_code ignored; at->is_regular_file(ignored))
      bytes += static_cast<double>(at->file_size(ignored));
  return bytes;
}

/// Bytes of a coded picture: the first frames of the video, coded as the results are.
Result<double> coded_bytes(const std::string& video, const std::string& path) {
  VULTUS_TRY(VideoReader reader, VideoReader::open(video));
  VULTUS_TRY(VideoWriter writer,
             VideoWriter::create(path, WriterOptions::like(reader.info(), false)));
  int frames = 0;
  for (; frames < kSampleFrames; ++frames) {
    VULTUS_TRY(std::optional<Frame> frame, reader.next());
    if (!frame) break;
    VULTUS_CHECK(writer.write(frame->bgr, frame->pts, frame->duration));
  }
  if (frames == 0) return 0.0;
  VULTUS_CHECK(writer.finish());
  std::error_code ignored;
  return static_cast<double>(fs::file_size(path, ignored)) / frames;
}

/// Processes the first frames and stops.
Result<Sample> sample(const ProcessOptions& settings, const Input& input) {
  std::string folder = (fs::temp_directory_path() / "vultus-dry-XXXXXX").string();
  if (!mkdtemp(folder.data()))
    return Error{Errc::unwritable, "no temporary folder to try a few frames in (TMPDIR)"};
  std::atomic<bool> stop{false};
  Clock::time_point begin, end;
  int64_t first = 0, frames = 0;
  ProcessOptions options = settings;
  options.out = folder;
  options.cancel = &stop;
  options.progress = [&](const Progress& progress) {
    if (settings.cancel && settings.cancel->load()) stop = true;
    frames = progress.frames;
    end = Clock::now();
    if (first == 0 && frames >= kFirstFrames) {
      first = frames;
      begin = end;
    }
    if (frames >= kSampleFrames) stop = true;
  };
  Result<Summary> run = process_input(input.path, std::move(options));
  // Records of the frames; what encoders still hold is not there yet.
  const double bytes = bytes_in(folder);
  const int videos = (settings.mirror ? 2 : 0) + (settings.overlay ? 1 : 0);
  const bool cancelled = settings.cancel && settings.cancel->load();
  Result<double> coded =
      videos > 0 && !cancelled ? coded_bytes(input.path, folder + "/sample.mp4") : 0.0;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  if (!run && run.error().code != Errc::interrupted) return run.error();
  if (cancelled) return Error{Errc::interrupted, "stopped"};
  if (!coded) return coded.error();
  if (frames <= first)
    return Error{Errc::bad_input, input.path + ": too few frames to tell how long one takes"};
  return Sample{
      input.pixels(),
      std::chrono::duration<double>(end - begin).count() / static_cast<double>(frames - first),
      bytes / static_cast<double>(frames) + kTableBytesPerFrame +
          kDrawnOverPlain * videos * coded.value(),
      settings.report ? kReportBytes : 0};
}

std::vector<Sample> sample_sizes(const ProcessOptions& settings, const std::vector<Input>& inputs,
                                 std::vector<std::string>& notes) {
  std::vector<const Input*> chosen;
  for (const Input& input : inputs) {
    const bool known =
        std::ranges::any_of(chosen, [&](const Input* other) { return other->size == input.size; });
    if (!known && input.left() > 0 && input.frames > kFirstFrames) chosen.push_back(&input);
  }
  std::ranges::stable_sort(chosen, std::ranges::greater{},
                           [](const Input* input) { return input->left() * input->pixels(); });
  if (chosen.size() > kSampledSizes) chosen.resize(kSampledSizes);
  std::vector<Sample> samples;
  for (const Input* input : chosen) {
    auto measured = sample(settings, *input);
    if (measured)
      samples.push_back(*measured);
    else
      notes.push_back(measured.error().what);
  }
  return samples;
}

/// Of the sample whose pictures are nearest in size; bytes scaled by the pixels.
std::optional<Sample> cost_of(const Input& input, const std::vector<Sample>& samples) {
  if (samples.empty()) return std::nullopt;
  auto nearest = std::ranges::min_element(samples, {}, [&](const Sample& each) {
    return std::abs(std::log(each.pixels / input.pixels()));
  });
  Sample cost = *nearest;
  cost.bytes_per_frame *= input.pixels() / cost.pixels;
  return cost;
}

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

const char* name_of(const Input& input) {
  if (input.error) return input.outlook.refusal ? "refuse" : "fail";
  constexpr std::array kNames{"make", "resume", "remake", "skip", "refuse"};
  return kNames[static_cast<size_t>(input.outlook.action)];
}

/// What follows the size and the cost.
std::string note_of(const Outlook& outlook) {
  const std::string kept =
      outlook.kept.empty() ? ""
                           : fmt::format("; keeps {}", fmt::join(command_words(outlook.kept), " "));
  switch (outlook.action) {
    case Action::resume:
      return fmt::format(" (goes on from frame {})", outlook.measured);
    case Action::remake:
      return fmt::format(" (tables and report alone, measured before: {}{})", outlook.differences,
                         kept);
    case Action::skip:
      return fmt::format(" (done before{})", kept);
    default:
      return "";
  }
}

/// All inputs together.
struct Total {
  double seconds = 0, bytes = 0, frames = 0;
  int to_measure = 0, to_remake = 0, done = 0, failed = 0;
};

Json look_through(const std::vector<Input>& inputs, const std::vector<Sample>& samples, bool json,
                  Total& total) {
  Json lines = Json::array();
  for (const Input& input : inputs) {
    Json line{{"input", input.path}, {"action", name_of(input)}};
    if (input.error) {
      ++total.failed;
      report(*input.error);
      line["error"] = input.error->what;
      lines.push_back(std::move(line));
      continue;
    }
    const Action action = input.outlook.action;
    ++(action == Action::skip     ? total.done
       : action == Action::remake ? total.to_remake
                                  : total.to_measure);
    total.frames += input.left();
    line.update({{"width", input.size.width},
                 {"height", input.size.height},
                 {"frames", input.frames},
                 {"frames_to_measure", input.left()},
                 {"video_seconds", input.video_seconds},
                 {"output_exists", input.outlook.before.has_value()}});
    std::string text = fmt::format("{}: {}x{}, {:.0f} frame{}", input.path, input.size.width,
                                   input.size.height, input.frames, input.frames == 1 ? "" : "s");
    const auto cost = cost_of(input, samples);
    if (cost && input.left() > 0) {
      const double time = cost->seconds_per_frame * input.left();
      const double room = cost->bytes_per_frame * input.left() + cost->bytes_per_input;
      total.seconds += time;
      total.bytes += room;
      line["seconds"] = time;
      line["bytes"] = room;
      text += fmt::format(": about {}, {:.1f} MiB", duration(time), room / kMiB);
    }
    if (!json) fmt::print("{}{}\n", text, note_of(input.outlook));
    lines.push_back(std::move(line));
  }
  return lines;
}

void print(const Total& total, const std::string& out, bool timed) {
  fmt::print("{} input{}, {:.0f} frames", total.to_measure, total.to_measure == 1 ? "" : "s",
             total.frames);
  if (timed)
    fmt::print(": about {} ({:.1f} frames/s) and {:.1f} MiB in {}", duration(total.seconds),
               total.frames / total.seconds, total.bytes / kMiB, out);
  if (total.to_remake > 0) fmt::print("; {} not to be measured again", total.to_remake);
  if (total.done > 0) fmt::print("; {} done before", total.done);
  if (total.failed > 0) fmt::print("; {} cannot be done", total.failed);
  fmt::print("\n");
}

}  // namespace

Result<int> dry_run(ProcessOptions settings, const std::vector<InputFile>& files, bool json,
                    Json& document) {
  VULTUS_TRY(const Pack pack, load_pack(settings.pack));
  const std::vector<std::string> names = output_names(files);
  std::vector<Input> inputs;
  for (size_t i = 0; i < files.size(); ++i) {
    Input& input = inputs.emplace_back(Input{.path = files[i].path, .error = {}});
    if (Result<void> found = examine(settings, pack, names[i], input); !found)
      input.error = found.error();
  }
  std::vector<std::string> notes;
  const std::vector<Sample> samples = sample_sizes(settings, inputs, notes);
  if (settings.cancel && settings.cancel->load()) return Error{Errc::interrupted, "stopped"};
  Total total;
  const Json lines = look_through(inputs, samples, json, total);
  const bool timed = !samples.empty() && total.frames > 0;
  if (json) {
    document = {{"schema", 1}, {"inputs", lines}, {"frames", total.frames}, {"notes", notes}};
    if (timed) {
      document["seconds"] = total.seconds;
      document["bytes"] = total.bytes;
    }
  } else {
    for (const std::string& note : notes)
      fmt::print("  note: {}\n", note);
    print(total, settings.out, timed);
  }
  if (total.failed == 0) return kComplete;
  if (total.failed < static_cast<int>(inputs.size())) return kPartial;
  const bool same = std::ranges::all_of(
      inputs, [&](const Input& input) { return input.error->code == inputs[0].error->code; });
  return same ? exit_code(inputs[0].error->code) : kFailure;
}

}  // namespace vultus::app
