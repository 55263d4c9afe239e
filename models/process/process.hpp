#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/run/session.hpp"
#include "models/face/stage_times.hpp"
#include "models/face/tracker.hpp"
#include "models/measure/baseline.hpp"
#include "models/pack/pack.hpp"
#include "models/process/measurer.hpp"
#include "models/process/summary.hpp"
#include "models/process/tables.hpp"

namespace vultus {

/// How far one input has come; `declared_frames` 0 when the container does not say.
struct Progress {
  std::string input;
  int64_t frames = 0, declared_frames = 0;
  double seconds = 0;  ///< since it was begun
};

struct ProcessOptions {
  std::string pack;              ///< folder of the model pack (find_pack)
  std::vector<Device*> devices;  ///< in order of preference; they outlive the processor
  Precision precision = Precision::fp32;
  Tuning tuning = Tuning::rules;
  Goal goal = Goal::preference;
  CostSource costs = CostSource::model;  ///< of what the goal `fastest` weighs
  std::string out;                       ///< folder; each input gets one inside it
  int search_every = 10;                 ///< frames between searches of the whole frame
  /// Frames whose faces are measured together, 1 to `kMostBatch`; 0: `kGpuBatch` where a GPU that
  /// is not the CPU in disguise is among the devices, else 1. Results differ by rounding alone.
  int batch = 0;
  static constexpr int kMostBatch = 32, kGpuBatch = 4;
  int frames_together() const;  ///< `batch`, or what 0 stands for
  bool all_faces = false;       ///< else the one with the highest score, until it is lost
  bool smooth = true;
  bool mirror = true;  ///< left_mirrored and right_mirrored
  bool overlay = true;
  bool openface = false;             ///< openface.csv as well
  bool report = true;                ///< report.html
  std::string command;               ///< what was asked for, without the input: told in the report
  measure::Sides sides;              ///< set where the input is mirrored as selfies are
  measure::BaselineChoice baseline;  ///< the face at rest, for asymmetry.csv
  double pupil_distance_mm = measure::kUsualPupilDistance;
  /// Names of settings that concern tables alone and that nobody asked for: results that are
  /// finished keep what they have of them.
  std::vector<std::string> unnamed;
  bool force = false;        ///< replaces existing output
  std::string command_line;  ///< as typed, for run.json
  /// Words of the command that makes the results of an input again, but for -o; for run.json.
  std::function<std::vector<std::string>(const std::string& input)> again;
  /// Called after every frame, or batch of frames, on the calling thread.
  std::function<void(const Progress&)> progress;
  /// Set from outside (a signal handler) to stop after the present frame or batch.
  const std::atomic<bool>* cancel = nullptr;
};

/// A video or picture.
struct InputFile {
  std::string path;
  bool of_folder = false;  ///< its folder was named, not the file
};

/// What an input stands for.
struct InputFiles {
  std::vector<InputFile> files;          ///< the input itself, or a folder's media by name
  std::vector<std::string> passed_over;  ///< names of the folder's other files
  std::vector<std::string> folders;      ///< names of the folders in it, which are not searched
  std::string passed_over_text() const;  ///< the first five, and how many more
  std::string folders_text() const;      ///< the same
};
/// Only videos and pictures (by their endings) are taken from a folder, and nothing from folders in
/// it or hidden files. An error where it holds none.
Result<InputFiles> files_of(const std::string& input);

/// The paths in a list, one a line, or ended by zero bytes where there are any; "-": standard
/// input. Empty lines are passed over. bad_input when it cannot be read or names nothing.
Result<std::vector<std::string>> read_list(const std::string& path);

/// The output folder for each input, inside OUT: its name without the ending; with the ending where
/// media beside it share that ("clip.mp4", "clip.mov"). Where its folder was named, that one's name
/// comes first ("visit1/clip"), so a name depends on no other input; files that were named and
/// would collide all get the names of their folders as well. The same file has the same name twice.
std::vector<std::string> output_names(const std::vector<InputFile>& inputs);

/// Measures faces in videos and pictures with networks that are loaded once. One thread at a time.
class Processor {
 public:
  /// Loads and checks the pack and its networks; nothing is written.
  static Result<std::unique_ptr<Processor>> open(ProcessOptions options);

  /// Writes OUT/NAME: landmarks.csv, left.csv, right.csv, asymmetry.csv, report.html,
  /// performance.txt and .json, left_mirrored, right_mirrored and overlay (.mp4; .png for a
  /// picture), frames.journal and, of a video, checkpoint, which it can be made from again,
  /// run.json, summary.json. A summary whose status is partial lists what was lost. An input whose
  /// output is there already, made from the same file with the same options, is not done again
  /// (`skipped`); where options differ that concern tables and report alone, these are made again
  /// from the journal (`remade`), to the same bytes as in a new run. A run of a video that ends
  /// before its time (interrupted, unwritable, killed, what the device says, a file that cannot be
  /// read for now) leaves what it has done in a hidden folder, and the next one with the same
  /// options goes on from there: the results are the same. What else ends with an error leaves
  /// nothing behind. No exception leaves it.
  Result<Summary> run(const std::string& input, const std::string& name);

  const Pack& pack() const { return pack_; }

 private:
  struct Job;
  Processor(ProcessOptions options, Pack pack, Networks networks);
  Result<Summary> run_alone(const std::string& input, const std::string& name);
  Result<void> work(Job& job);
  Result<void> run_video(Job& job);
  Result<void> run_image(Job& job);
  /// Everything that follows from the journal alone.
  Result<void> write_tables(Job& job);
  /// report.html and performance.*, of what is measured; the input is decoded once more.
  Result<void> write_report(Job& job);
  Result<measure::MeasureOptions> measuring(const Job& job) const;
  Result<void> take_back(Job& job) const;
  TableLayout layout() const;
  face::TrackerOptions tracking() const;

  ProcessOptions options_;
  Pack pack_;
  Networks networks_;
};

/// One input alone: a Processor opened for it, its output named after it.
Result<Summary> process_input(const std::string& path, ProcessOptions options);

}  // namespace vultus
