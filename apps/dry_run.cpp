#include "apps/dry_run.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "models/image/image.hpp"
#include "models/video/reader.hpp"
#include "models/video/writer.hpp"

namespace vultus::app {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kFirstFrames = 4, kSampleFrames = 40;  // the first are slower: caches, first search
constexpr size_t kSampledSizes = 3;
constexpr double kMiB = 1024.0 * 1024;

struct Input {
  std::string path;
  std::optional<Error> error;
  cv::Size size;
  double frames = 0, video_seconds = 0;
  double pixels() const { return static_cast<double>(size.area()); }
};

/// What a frame of some size costs.
struct Sample {
  double pixels = 0, seconds_per_frame = 0, bytes_per_frame = 0;
};

Input look_at(const std::string& path) {
  Input input{.path = path, .error = {}, .size = {}};
  if (is_image_path(path)) {
    auto picture = read_image(path);
    if (!picture) {
      input.error = picture.error();
      return input;
    }
    input.size = picture->size();
    input.frames = 1;
    return input;
  }
  auto reader = VideoReader::open(path);
  if (!reader) {
    input.error = reader.error();
    return input;
  }
  const VideoInfo& info = reader->info();
  input.size = info.size;
  input.video_seconds = info.duration_seconds;
  input.frames = static_cast<double>(info.declared_frames);
  if (info.declared_frames == 0) input.frames = info.duration_seconds * info.frame_rate.value();
  return input;
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
  Result<double> coded = videos > 0 ? coded_bytes(input.path, folder + "/sample.mp4") : 0.0;
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  if (!run && run.error().code != Errc::interrupted) return run.error();
  if (!coded) return coded.error();
  if (frames <= first)
    return Error{Errc::bad_input, input.path + ": too few frames to tell how long one takes"};
  return Sample{
      input.pixels(),
      std::chrono::duration<double>(end - begin).count() / static_cast<double>(frames - first),
      bytes / static_cast<double>(frames) + videos * coded.value()};
}

std::vector<Sample> sample_sizes(const ProcessOptions& settings, const std::vector<Input>& inputs,
                                 std::vector<std::string>& notes) {
  std::vector<const Input*> chosen;
  for (const Input& input : inputs) {
    const bool known =
        std::ranges::any_of(chosen, [&](const Input* other) { return other->size == input.size; });
    if (!input.error && !known && input.frames > kFirstFrames) chosen.push_back(&input);
  }
  std::ranges::stable_sort(chosen, std::ranges::greater{},
                           [](const Input* input) { return input->frames * input->pixels(); });
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

}  // namespace

Result<int> dry_run(ProcessOptions settings, const std::vector<std::string>& files, bool json,
                    Json& document) {
  std::vector<Input> inputs;
  for (const std::string& file : files)
    inputs.push_back(look_at(file));
  std::vector<std::string> notes;
  const std::vector<Sample> samples = sample_sizes(settings, inputs, notes);
  const std::vector<std::string> names = output_names(files);
  Json lines = Json::array();
  double seconds = 0, bytes = 0, frames = 0;
  int failed = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Input& input = inputs[i];
    if (input.error) {
      ++failed;
      report(*input.error);
      lines.push_back({{"input", input.path}, {"error", input.error->what}});
      continue;
    }
    const auto cost = cost_of(input, samples);
    std::error_code ignored;
    const bool there = fs::exists(fs::path(settings.out) / names[i], ignored);
    Json line{{"input", input.path},
              {"width", input.size.width},
              {"height", input.size.height},
              {"frames", input.frames},
              {"video_seconds", input.video_seconds},
              {"output_exists", there}};
    std::string text = fmt::format("{}: {}x{}, {:.0f} frame{}", input.path, input.size.width,
                                   input.size.height, input.frames, input.frames == 1 ? "" : "s");
    frames += input.frames;
    if (cost) {
      const double time = cost->seconds_per_frame * input.frames;
      const double room = cost->bytes_per_frame * input.frames;
      seconds += time;
      bytes += room;
      line["seconds"] = time;
      line["bytes"] = room;
      text += fmt::format(": about {}, {:.1f} MiB", duration(time), room / kMiB);
    }
    if (!json) fmt::print("{}{}\n", text, there ? " (results are there already)" : "");
    lines.push_back(std::move(line));
  }
  if (json) {
    document = {{"schema", 1}, {"inputs", lines}, {"frames", frames}, {"notes", notes}};
    if (!samples.empty()) {
      document["seconds"] = seconds;
      document["bytes"] = bytes;
    }
  } else {
    for (const std::string& note : notes)
      fmt::print("  note: {}\n", note);
    const auto count = static_cast<int64_t>(inputs.size()) - failed;
    fmt::print("{} input{}, {:.0f} frames", count, count == 1 ? "" : "s", frames);
    if (!samples.empty())
      fmt::print(": about {} ({:.1f} frames/s) and {:.1f} MiB in {}", duration(seconds),
                 frames / seconds, bytes / kMiB, settings.out);
    fmt::print("{}\n", failed ? fmt::format("; {} cannot be opened", failed) : "");
  }
  if (failed == 0) return kComplete;
  return failed < static_cast<int>(inputs.size()) ? kPartial : exit_code(inputs[0].error->code);
}

}  // namespace vultus::app
