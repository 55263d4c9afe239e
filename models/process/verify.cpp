#include "models/process/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/pack/sha256.hpp"
#include "models/process/checkpoint.hpp"
#include "models/process/csv_file.hpp"
#include "models/process/journal.hpp"
#include "models/process/output_folder.hpp"
#include "models/video/count.hpp"

namespace vultus {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSchema = 1;

struct Listed {
  std::string file, sha256;
  int64_t bytes = 0;
};

struct Manifest {
  std::string input;
  std::vector<std::string> make_again;
  int64_t frames = 0;
  bool complete = false;
  std::vector<Listed> outputs;
};

Result<Manifest> read_manifest_of(const std::string& folder) {
  const std::string path = folder + "/run.json";
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    return Error{Errc::bad_input,
                 path +
                     ": is not there; process the input again, with --force where the results "
                     "are of an earlier version"};
  std::ifstream file(path, std::ios::binary);
  const json object = json::parse(file, nullptr, false);
  const Error damaged{Errc::bad_input, path + ": is damaged or of another version of vultus"};
  if (!object.is_object() || object.value("schema", json()) != json(kSchema)) return damaged;
  Manifest manifest;
  const json input = object.value("input", json()), outputs = object.value("outputs", json()),
             frames = object.value("frames", json()), complete = object.value("complete", json());
  if (!input.is_object() || !input.value("file", json()).is_string() || !outputs.is_array() ||
      !frames.is_number_integer() || !complete.is_boolean())
    return damaged;
  manifest.input = input["file"].get<std::string>();
  manifest.frames = frames.get<int64_t>();
  if (const json again = object.value("make_again", json()); again.is_array())
    for (const json& word : again)
      if (word.is_string()) manifest.make_again.push_back(word.get<std::string>());
  manifest.complete = complete.get<bool>();
  for (const json& output : outputs) {
    if (!output.is_object() || !output.value("file", json()).is_string() ||
        !output.value("sha256", json()).is_string() ||
        !output.value("bytes", json()).is_number_integer())
      return damaged;
    Listed listed{output["file"].get<std::string>(), output["sha256"].get<std::string>(),
                  output["bytes"].get<int64_t>()};
    // Names alone: nothing outside the folder is read.
    if (listed.file.empty() || fs::path(listed.file).filename() != listed.file) return damaged;
    manifest.outputs.push_back(std::move(listed));
  }
  return manifest;
}

/// A table of frames has the frame in its first column; others are not counted.
Result<void> verify_table(const std::string& path, int64_t frames) {
  std::string header;
  std::ifstream file(path, std::ios::binary);
  std::getline(file, header);
  if (!header.starts_with("frame,")) return {};
  VULTUS_CHECK(verify_frames(path, header, frames));
  return {};
}

Result<void> verify_journal(const std::string& path, int64_t frames) {
  VULTUS_TRY(JournalReader journal, JournalReader::open(path));
  for (int64_t records = 0;; ++records) {
    VULTUS_TRY(auto record, journal.next());
    if (record) continue;
    if (records == frames) return {};
    return Error{Errc::mismatch,
                 fmt::format("{}: has {} records for {} frames", path, records, frames)};
  }
}

Result<void> verify_file(const std::string& folder, const Listed& listed, int64_t frames,
                         Depth depth) {
  const std::string path = folder + "/" + listed.file;
  auto wrong = [&](const std::string& what) {
    return Error{Errc::mismatch, fmt::format("{}: {}", path, what)};
  };
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return wrong("is missing");
  const auto bytes = static_cast<int64_t>(fs::file_size(path, error));
  if (bytes != listed.bytes)
    return wrong(fmt::format("has {} bytes, {} were written", bytes, listed.bytes));
  if (depth == Depth::sizes) return {};
  if (depth == Depth::sums) {
    VULTUS_TRY(std::string sum, sha256_of_file(path));
    if (sum != listed.sha256)
      return wrong(fmt::format("has SHA-256 {}, {} was written", sum, listed.sha256));
  }
  const std::string ending = fs::path(path).extension().string();
  if (ending == ".csv") return verify_table(path, frames);
  if (ending == ".journal") return verify_journal(path, frames);
  if (ending != ".mp4") return {};
  VULTUS_TRY(int64_t pictures, count_pictures(path));
  if (pictures != frames)
    return wrong(fmt::format("has {} pictures for {} frames", pictures, frames));
  return {};
}

}  // namespace

Result<Verification> verify_results(const std::string& folder, Depth depth) {
  VULTUS_TRY(Manifest manifest, read_manifest_of(folder));
  Verification found;
  found.folder = folder;
  found.input = manifest.input;
  found.make_again = manifest.make_again;
  found.frames = manifest.frames;
  found.complete = manifest.complete;
  for (const Listed& listed : manifest.outputs) {
    found.checked.push_back(listed.file);
    if (Result<void> same = verify_file(folder, listed, manifest.frames, depth); !same)
      found.differences.push_back(same.error().what);
  }
  if (std::ranges::find(found.checked, "summary.json") == found.checked.end())
    found.differences.push_back(folder + "/run.json: does not list summary.json");
  return found;
}

namespace {

/// Deeper than results ever lie.
constexpr int kDeepest = 16;

void find_results(const fs::path& folder, int depth, std::vector<std::string>& found) {
  std::error_code error;
  if (fs::exists(folder / "run.json", error) || fs::exists(folder / "summary.json", error)) {
    found.push_back(folder.string());
    return;
  }
  fs::directory_iterator at(folder, error), end;
  for (; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const bool hidden = at->path().filename().string().front() == '.';
    // Links may lead in circles.
    if (!hidden && at->is_directory(ignored) && !at->is_symlink(ignored) && depth < kDeepest)
      find_results(at->path(), depth + 1, found);
  }
}

void find_unfinished(const fs::path& folder, int depth, std::vector<Unfinished>& found) {
  std::error_code error;
  fs::directory_iterator at(folder, error), end;
  for (; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (!at->is_directory(ignored) || at->is_symlink(ignored)) continue;
    const std::string path = at->path().string();
    const std::string results = OutputFolder::final_of(path);
    if (!results.empty()) {
      const auto checkpoint = Checkpoint::load(path + "/" + OutputFolder::kCheckpoint);
      found.push_back({path, results, checkpoint ? checkpoint->frames : 0});
    } else if (at->path().filename().string().front() != '.' && depth < kDeepest) {
      find_unfinished(at->path(), depth + 1, found);
    }
  }
}

}  // namespace

std::vector<Unfinished> unfinished_results(const std::string& path) {
  std::vector<Unfinished> found;
  find_unfinished(path, 0, found);
  std::ranges::sort(found, {}, &Unfinished::folder);
  return found;
}

Result<std::vector<std::string>> result_folders(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error))
    return Error{Errc::bad_input, path + ": is no folder; name the one given to process with -o"};
  std::vector<std::string> folders;
  find_results(path, 0, folders);
  std::ranges::sort(folders);
  if (folders.empty()) return Error{Errc::bad_input, path + ": no results of vultus process in it"};
  return folders;
}

}  // namespace vultus
