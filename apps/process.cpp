#include "models/process/process.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>
#include <filesystem>

#include "apps/common.hpp"
#include "apps/dry_run.hpp"
#include "apps/failures.hpp"
#include "apps/progress.hpp"
#include "apps/spare_memory.hpp"
#include "models/process/settings.hpp"

namespace vultus::app {

namespace {

std::atomic<bool> cancelled{false};
std::atomic<int> cancel_signal{SIGINT};

void on_signal(int signal) {
  cancel_signal = signal;
  cancelled = true;
  std::signal(signal, SIG_DFL);  // a second one ends the process at once
}

struct Options {
  EngineOptions engine;
  std::vector<std::string> inputs;
  std::string files_from, out, pack, faces = "one", format = "vultus", progress = "auto",
                                     baseline = "auto";
  double pupil_distance = measure::kUsualPupilDistance;
  bool mirrored_input = false;
  int every = 10, batch = 0;
  bool no_mirror = false, no_overlay = false, no_report = false, no_smooth = false;
  bool force = false, quiet = false, dry_run = false;
  std::vector<std::string> unnamed;  ///< options of the tables that were not given
  std::vector<std::string> words;    ///< of the command line, without the inputs
  std::vector<std::string> again;    ///< the same with absolute paths, without --output and --force
};

/// The options that were given, as words of a command line; paths of the results, not of inputs.
std::vector<std::string> option_words(const CLI::App& command) {
  std::vector<std::string> words;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || !name.starts_with("--") || name == "--files-from") continue;
    const bool is_flag = option->get_items_expected_max() == 0;
    for (const std::string& value : option->results()) {
      words.push_back(name);
      if (!is_flag) words.push_back(value);
    }
  }
  return words;
}

/// The same words for another folder and time.
std::vector<std::string> words_again(const CLI::App& command) {
  std::vector<std::string> words;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || !name.starts_with("--") || name == "--files-from" ||
        name == "--output" || name == "--force" || name == "--dry-run" || name == "--json")
      continue;
    const bool is_flag = option->get_items_expected_max() == 0;
    for (const std::string& value : option->results()) {
      words.push_back(name);
      if (!is_flag) words.push_back(name == "--pack" ? absolute_path(value) : value);
    }
  }
  return words;
}

std::vector<std::string> process_again(const Options& options, const std::string& input) {
  std::vector<std::string> words{"process", absolute_path(input)};
  words.insert(words.end(), options.again.begin(), options.again.end());
  return words;
}

/// The input's results go to the folder that has the name of the input's own inside OUT.
std::string retry_command(const Options& options, const std::string& input, const std::string& name,
                          bool force) {
  std::vector<std::string> words = process_again(options, input);
  const auto folder = (std::filesystem::path(options.out) / name).parent_path();
  words.insert(words.end(), {"--output", absolute_path(folder.string())});
  if (force) words.push_back("--force");
  return vultus_command(words);
}

ProgressDisplay::Style style_of(const Options& options) {
  if (options.quiet || options.progress == "none") return ProgressDisplay::Style::none;
  if (options.progress == "plain") return ProgressDisplay::Style::plain;
  if (options.progress == "json") return ProgressDisplay::Style::json;
  return ProgressDisplay::Style::automatic;
}

/// What happened to every input, for the exit code and the last line.
struct Tally {
  int done = 0, skipped = 0, stopped = 0, not_begun = 0;
  std::vector<Failure> failures;  ///< without results
  std::vector<Failure> partials;
  std::vector<std::string> settled;  ///< absolute paths of what was not stopped before its end

  int partial() const { return static_cast<int>(partials.size()); }
  size_t inputs() const {
    return static_cast<size_t>(done + skipped + partial()) + failures.size();
  }
  int exit_code() const {
    if (failures.empty()) return partial() > 0 ? kPartial : kComplete;
    if (done + skipped + partial() > 0) return kPartial;
    bool same = std::ranges::all_of(
        failures, [&](const Failure& each) { return each.exit_code == failures[0].exit_code; });
    return same ? failures[0].exit_code : int{kFailure};
  }
  std::string text() const {
    std::string text = fmt::format("{} complete, {} partial, {} done before, {} failed", done,
                                   partial(), skipped, failures.size());
    if (stopped > 0) text += fmt::format(", {} stopped", stopped);
    if (not_begun > 0) text += fmt::format(", {} not begun", not_begun);
    return text;
  }
};

void print_summary(const Summary& s) {
  if (s.skipped)
    fmt::print("{}: done before{}, nothing to do ({})\n", s.input, s.complete ? "" : ", PARTIAL",
               s.folder);
  else if (!s.remade.empty())
    fmt::print("{}: {}, tables and report made again from what was measured ({}) -> {}\n", s.input,
               s.complete ? "complete" : "PARTIAL", s.remade, s.folder);
  else
    fmt::print("{}: {}, {} frames, {} without a face, {:.1f} frames/s -> {}\n", s.input,
               s.complete ? "complete" : "PARTIAL", s.frames, s.frames_without_face, s.fps,
               s.folder);
  if (s.resumed_at > 0) fmt::print("  gone on from frame {} of an earlier run\n", s.resumed_at);
  if (!s.begun_again.empty()) fmt::print("  note: {}\n", s.begun_again);
  if (!s.kept.empty())
    fmt::print("  note: keeps {} of the earlier run; give the option to have another\n",
               fmt::join(command_words(s.kept), " "));
  for (const std::string& lost : s.lost)
    fmt::print("  lost: {}\n", lost);
  for (const std::string& warning : s.warnings)
    fmt::print("  note: {}\n", warning);
  for (const std::string& sentence : s.asymmetry)
    fmt::print("  asymmetry: {}\n", sentence);
}

void note_failure(const Options& options, const std::string& input, const std::string& name,
                  const Error& error, Tally& tally, Json& results) {
  report(error);
  tally.settled.push_back(absolute_path(input));
  tally.failures.push_back({absolute_path(input), app::exit_code(error.code), error.what,
                            retry_command(options, input, name, false)});
  results.push_back({{"input", input}, {"status", "failed"}, {"error", error.what}});
}

void note_partial(const Options& options, const std::string& input, const std::string& name,
                  const Summary& summary, Tally& tally) {
  Options same = options;
  const std::vector<std::string> kept = command_words(summary.kept);
  same.again.insert(same.again.end(), kept.begin(), kept.end());
  tally.partials.push_back(
      {absolute_path(input), kPartial,
       fmt::format("partial: {}; where a better copy of the recording can be had, put it there and "
                   "make it again",
                   fmt::join(summary.lost, "; ")),
       retry_command(same, input, name, true)});
}

void note_stopped(const std::string& input, const Error& error, Tally& tally, Json& results) {
  fmt::print(stderr, "vultus: {}: {}\n", input, error.what);
  ++tally.stopped;
  results.push_back({{"input", input}, {"status", "stopped"}});
}

void run_inputs(Processor& processor, const Options& options, const std::vector<InputFile>& inputs,
                ProgressDisplay& display, Tally& tally, Json& results) {
  std::vector<std::string> names = output_names(inputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string& input = inputs[i].path;
    if (cancelled) {
      ++tally.not_begun;
      results.push_back({{"input", input}, {"status", "not begun"}});
      continue;
    }
    display.begin(input, i, inputs.size());
    auto summary = processor.run(input, names[i]);
    display.end();
    if (!summary) {
      if (summary.error().code != Errc::interrupted)
        note_failure(options, input, names[i], summary.error(), tally, results);
      else
        note_stopped(input, summary.error(), tally, results);
      continue;
    }
    tally.settled.push_back(absolute_path(input));
    if (!summary->complete)
      note_partial(options, input, names[i], *summary, tally);
    else
      ++(summary->skipped ? tally.skipped : tally.done);
    if (options.engine.json) {
      Json json = Json::parse(to_json(*summary), nullptr, false);
      json["skipped"] = summary->skipped;
      json["remade"] = summary->remade;
      json["kept"] = command_words(summary->kept);
      results.push_back(std::move(json));
    } else {
      print_summary(*summary);
    }
  }
}

/// What lies in a folder and is not worked on. It may be a recording all the same: a phone's HEIC.
void tell_passed_over(const std::string& folder, InputFiles found, const std::string& out) {
  if (!found.passed_over.empty())
    fmt::print(stderr, "vultus: {}: passed over, no video or picture by its ending: {}\n", folder,
               found.passed_over_text());
  const std::string results = absolute_path(out);
  std::erase_if(found.folders, [&](const std::string& name) {
    return absolute_path((std::filesystem::path(folder) / name).string()) == results;
  });
  if (!found.folders.empty())
    fmt::print(
        stderr, "vultus: {}: {} in it {} not searched: {}\n", folder,
        found.folders.size() == 1 ? "1 folder" : fmt::format("{} folders", found.folders.size()),
        found.folders.size() == 1 ? "is" : "are", found.folders_text());
}

/// The files to work on. A folder with none is told of and does not stop the others.
Result<std::vector<InputFile>> input_files(const Options& options, Tally& tally, Json& results) {
  std::vector<std::string> inputs = options.inputs;
  if (!options.files_from.empty()) {
    VULTUS_TRY(std::vector<std::string> listed, read_list(options.files_from));
    inputs.insert(inputs.end(), listed.begin(), listed.end());
  }
  if (inputs.empty())
    return Error{Errc::usage, "no input: name videos, pictures or folders, or --files-from"};
  std::vector<InputFile> files;
  for (const std::string& input : inputs) {
    auto found = files_of(input);
    if (!found) {
      note_failure(options, input, "", found.error(), tally, results);
      continue;
    }
    files.insert(files.end(), found->files.begin(), found->files.end());
    if (found->files.front().of_folder) tally.settled.push_back(absolute_path(input));
    tell_passed_over(input, std::move(*found), options.out);
  }
  return files;
}

/// failed.csv and summary.csv. One input that fails makes no folder. Returns how many entries of
/// failed.csv are of earlier runs.
Result<size_t> write_lists(const std::string& out, const Tally& tally) {
  std::error_code ignored;
  if (tally.inputs() < 2 && !std::filesystem::is_directory(out, ignored)) return size_t{0};
  std::vector<Failure> failures = earlier_failures(out, tally.settled);
  const size_t earlier = failures.size();
  failures.insert(failures.end(), tally.failures.begin(), tally.failures.end());
  std::vector<Failure> listed = failures;
  listed.insert(listed.end(), tally.partials.begin(), tally.partials.end());
  VULTUS_CHECK(write_failures(out, listed));
  // Partial ones have results, which tell of them.
  std::erase_if(failures, [](const Failure& each) { return each.exit_code == kPartial; });
  VULTUS_CHECK(write_overview(out, failures));
  return earlier;
}

Result<int> process(const Options& options) {
  Tally tally;
  Json results = Json::array();
  VULTUS_TRY(const std::vector<InputFile> inputs, input_files(options, tally, results));
  if (inputs.empty()) return tally.exit_code();
  VULTUS_TRY(OpenedDevices devices, open_devices(options.engine, options.engine.device));
  ProgressDisplay display(style_of(options));
  ProcessOptions settings;
  VULTUS_TRY(settings.pack, find_pack(options.pack));
  settings.devices = devices.preference();
  const EngineOptions& engine = options.engine;
  if (engine.precision == "mixed" || !engine.recipe.empty() || !engine.pins.empty() ||
      engine.no_fuse || !engine.shapes.empty())
    return Error{Errc::usage,
                 "--precision mixed, --recipe, --pin, --no-fuse and --shape are about one network, "
                 "and process runs several: leave them out"};
  settings.precision = parse_precision(options.engine.precision);
  if (devices.owned.size() == 1) settings.precision = Precision::fp32;  // what the CPU computes in
  settings.tuning = tuning_of(options.engine);
  settings.goal = devices.goal;
  settings.costs = costs_of(options.engine);
  settings.out = options.out;
  settings.search_every = options.every;
  settings.batch = options.batch;
  settings.all_faces = options.faces == "all";
  settings.smooth = !options.no_smooth;
  settings.mirror = !options.no_mirror;
  settings.overlay = !options.no_overlay;
  settings.report = !options.no_report;
  settings.openface = options.format == "openface";
  for (const std::string& word : options.words)
    settings.command += " " + word;
  VULTUS_TRY(settings.baseline, measure::parse_baseline(options.baseline));
  settings.pupil_distance_mm = options.pupil_distance;
  settings.sides.mirrored_input = options.mirrored_input;
  settings.unnamed = options.unnamed;
  settings.force = options.force;
  settings.progress = [&](const Progress& p) { display.update(p.frames, p.declared_frames); };
  settings.cancel = &cancelled;
  settings.command_line = provenance("").command;
  settings.again = [&](const std::string& input) { return process_again(options, input); };
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  if (options.dry_run) {
    Json document;
    VULTUS_TRY(int code, dry_run(std::move(settings), inputs, options.engine.json, document));
    if (options.engine.json) print_json(document);
    return tally.failures.empty() ? code : code == kComplete ? int{kPartial} : code;
  }
  VULTUS_TRY(auto processor, Processor::open(std::move(settings)));
  keep_no_spare_memory();
  if (!options.quiet && !options.engine.json)
    fmt::print("pack {} ({})\non {}\n", processor->pack().name, processor->pack().licence,
               devices.note);
  std::fflush(stdout);

  run_inputs(*processor, options, inputs, display, tally, results);

  VULTUS_TRY(const size_t earlier, write_lists(options.out, tally));
  int code = cancelled ? 128 + cancel_signal : tally.exit_code();
  if (options.engine.json)
    print_json({{"schema", 1}, {"device", devices.note}, {"exit_code", code}, {"inputs", results}});
  else if (inputs.size() > 1 || tally.inputs() > 1)
    fmt::print("{}\n", tally.text());
  if (earlier > 0 && !options.engine.json)
    fmt::print("failed.csv still lists {} input{} of earlier runs\n", earlier,
               earlier == 1 ? "" : "s");
  if (cancelled)
    fmt::print(stderr,
               "vultus: stopped; the same command again goes on, and skips what is complete\n");
  return code;
}

}  // namespace

void add_process(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(
      "process", "face videos, pictures or folders of them: landmarks, mirrored faces, overlay");
  command->add_option("input", options->inputs,
                      "videos, pictures, folders (not the folders in them)");
  command->add_option("--files-from", options->files_from,
                      "more inputs from this file, one a line or, where it holds zero bytes, one "
                      "between each (find -print0); - is standard input");
  command
      ->add_option("-o,--output", options->out,
                   "folder for the results; each input gets one inside")
      ->required();
  command->add_option("--pack", options->pack,
                      "model pack: a folder with pack.json, made by vultus convert or "
                      "tools/default-pack (default: packs/default here, or one that is installed)");
  command
      ->add_option("--search-every", options->every, "frames between searches of the whole frame")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command
      ->add_option("--batch", options->batch,
                   "frames of a video that are measured together, 1 to 32: the landmarks, then the "
                   "action units of all their faces (default: 4 on a GPU, 1 on the CPU or on "
                   "Vulkan in software)")
      ->check(CLI::Range(1, ProcessOptions::kMostBatch));
  command->add_option("--faces", options->faces, "one (highest score, then tracked) or all")
      ->check(CLI::IsMember({"one", "all"}))
      ->capture_default_str();
  command
      ->add_option("--format", options->format,
                   "vultus, or openface: openface.csv with the columns of OpenFace 2.2 as well")
      ->check(CLI::IsMember({"vultus", "openface"}))
      ->capture_default_str();
  command->add_flag("--no-mirror", options->no_mirror, "no mirrored videos");
  command->add_flag("--no-overlay", options->no_overlay, "no overlay video");
  command->add_flag("--no-report", options->no_report, "no report.html, which shows the face");
  command->add_flag("--no-smooth", options->no_smooth, "landmarks of each frame as measured");
  command
      ->add_option("--baseline", options->baseline,
                   "the face at rest, for asymmetry.csv: auto, a stretch of the video such as "
                   "0:02-0:04, or none")
      ->capture_default_str();
  command
      ->add_option("--pupil-distance", options->pupil_distance,
                   "millimetres between the pupils, the scale of lengths")
      ->check(CLI::Range(measure::kLeastPupilDistance, measure::kMostPupilDistance))
      ->capture_default_str();
  command->add_flag("--mirrored-input", options->mirrored_input,
                    "the pictures are mirrored, as selfies are: left and right stay the subject's");
  command->add_flag("--force", options->force, "replace existing results");
  command->add_flag(
      "--dry-run", options->dry_run,
      "only say what would be made, skipped or refused, how long it would take and how "
      "much room; the first frames of a video are tried");
  command->add_flag("--quiet", options->quiet, "no progress");
  command
      ->add_option("--progress", options->progress,
                   "auto, plain, json (one line per update on stderr) or none")
      ->check(CLI::IsMember({"auto", "plain", "json", "none"}))
      ->capture_default_str();
  options->engine.add_to(*command);
  command->footer(
      "Left and right are the subject's own, as seen by a camera that does not mirror (else "
      "--mirrored-input).\n"
      "Exit code 3 when some inputs failed or are partial: failed.csv lists them, summary.csv "
      "all.\nAn entry of failed.csv stays until that input succeeds.\n"
      "What is complete is not done again; where only --baseline, --pupil-distance, --format or\n"
      "--no-report differ, tables and report are made again and nothing is measured.\n"
      "One of the first three that was given once is kept until another is given (--baseline "
      "auto).\n"
      "Examples:\n  vultus process visit1/ visit2/ -o results\n  vultus process clip.mp4 -o "
      "results --no-mirror --device cpu");
  command->callback([options, command, &status] {
    options->words = option_words(*command);
    options->again = words_again(*command);
    for (const std::string name : {"baseline", "pupil-distance", "format"})
      if (command->count("--" + name) == 0) options->unnamed.push_back(name);
    auto code = process(*options);
    status = code ? *code : report(code.error());
  });
}

}  // namespace vultus::app
