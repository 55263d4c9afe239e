#include "models/process/output_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "models/file/file.hpp"

namespace vultus {

namespace fs = std::filesystem;

namespace {

/// All results that we ever write, the mark of completion first: it goes first when outputs are
/// replaced, and comes last. Then the checkpoint, without which an unfinished run is worth nothing.
constexpr std::array kOutputs{"summary.json",       OutputFolder::kCheckpoint,
                              "run.json",           OutputFolder::kJournal,
                              "landmarks.csv",      "left.csv",
                              "right.csv",          "asymmetry.csv",
                              "openface.csv",       "report.html",
                              "performance.json",   "performance.txt",
                              "left_mirrored.mp4",  "right_mirrored.mp4",
                              "overlay.mp4",        "left_mirrored.png",
                              "right_mirrored.png", "overlay.png"};
constexpr std::array kVideos{"left_mirrored.mp4", "right_mirrored.mp4", "overlay.mp4"};
/// In the working folder while its files replace others: their names, one a line.
constexpr const char* kReplacing = ".replacing";
/// Of the working folder's name, behind a point and the input's: no input's output can have that.
constexpr std::string_view kWorking = ".vultus-partial";

Error unwritable(const std::string& path, const std::string& why) {
  return {Errc::unwritable, fmt::format("{}: cannot be written: {}", path, why)};
}

/// What only an unfinished run needs.
void remove_private(const std::string& folder) {
  std::error_code ignored;
  fs::remove(fs::path(folder) / (std::string(OutputFolder::kCheckpoint) + ".partial"), ignored);
  for (const char* video : kVideos)
    fs::remove(fs::path(folder) / (std::string(video) + ".packets"), ignored);
}

/// Our files, finished or not.
void remove_all_files(const std::string& folder) {
  std::error_code ignored;
  for (const char* name : kOutputs)
    for (const char* suffix : {"", ".partial"})
      fs::remove(fs::path(folder) / (std::string(name) + suffix), ignored);
  for (const char* suffix : {"", ".partial"})
    fs::remove(fs::path(folder) / (std::string(kReplacing) + suffix), ignored);
  remove_private(folder);
}

/// Of a finished folder.
void remove_traces(const std::string& folder) {
  remove_private(folder);
  std::error_code ignored;
  fs::remove(fs::path(folder) / ".lock", ignored);
}

void sync_folder(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

}  // namespace

/// The working folder, made and locked.
Result<OutputFolder> OutputFolder::hold(const std::string& out, const std::string& name) {
  const std::string working = working_of(out, name);
  std::error_code error;
  fs::create_directories(working, error);
  if (error) return unwritable(working, error.message());
  const std::string lock_path = working + "/.lock";
  int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (lock < 0) return unwritable(lock_path, strerror(errno));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return unwritable(working, "another program is writing there");
  }
  OutputFolder folder((fs::path(out) / name).string(), working, lock);
  // Until it is known to be of no use: an error of the disk or network must not cost it.
  folder.keep_ = true;
  return folder;
}

Result<OutputFolder> OutputFolder::create(const std::string& out, const std::string& name,
                                          bool force) {
  const std::string final = (fs::path(out) / name).string();
  std::error_code error;
  if (fs::exists(fs::symlink_status(final, error)) && !force)
    return Error{Errc::unwritable, fmt::format("{}: exists; use --force to replace it", final)};
  if (fs::exists(out, error) && !fs::is_directory(out, error))
    return unwritable(out, "it is a file; name a folder with -o");
  VULTUS_TRY(OutputFolder folder, hold(out, name));
  const fs::file_status status = fs::status(folder.checkpoint(), error);
  if (status.type() == fs::file_type::none) return unwritable(folder.checkpoint(), error.message());
  if (!fs::is_regular_file(status)) folder.clear();
  return folder;
}

std::string OutputFolder::working_of(const std::string& out, const std::string& name) {
  const fs::path final = fs::path(out) / name;
  return (final.parent_path() / fmt::format(".{}{}", final.filename().string(), kWorking)).string();
}

std::string OutputFolder::final_of(const std::string& working) {
  const fs::path path(working);
  const std::string name = path.filename().string();
  if (!name.starts_with('.') || !name.ends_with(kWorking) || name.size() < kWorking.size() + 2)
    return {};
  return (path.parent_path() / name.substr(1, name.size() - 1 - kWorking.size())).string();
}

bool OutputFolder::half_replaced(const std::string& out, const std::string& name) {
  std::error_code ignored;
  return fs::exists(fs::path(working_of(out, name)) / kReplacing, ignored);
}

Result<void> OutputFolder::recover(const std::string& out, const std::string& name) {
  if (!half_replaced(out, name)) return {};
  VULTUS_TRY(OutputFolder folder, hold(out, name));
  std::error_code ignored;
  if (fs::is_directory(folder.final_, ignored)) return folder.replace();
  folder.clear();
  return {};
}

Result<void> OutputFolder::check_writable(const std::string& out) {
  std::error_code error;
  fs::path nearest = fs::absolute(out, error);
  while (!fs::exists(nearest, error) && nearest.has_relative_path())
    nearest = nearest.parent_path();
  if (!fs::is_directory(nearest, error))
    return unwritable(out, fmt::format("{} is a file; name a folder with -o", nearest.string()));
  std::string trial = (nearest / ".vultus-XXXXXX").string();
  if (!mkdtemp(trial.data()))
    return unwritable(out, fmt::format("{}; name another folder with -o", strerror(errno)));
  rmdir(trial.c_str());
  return {};
}

Result<void> OutputFolder::take_back() const {
  std::error_code error;
  const auto from = [&](const char* name) { return fs::path(final_) / name; };
  const auto to = [&](const char* name) { return fs::path(working_) / name; };
  for (const char* name : kVideos) {
    if (!fs::exists(from(name), error)) continue;
    fs::create_hard_link(from(name), to(name), error);
    if (error) fs::copy_file(from(name), to(name), error);
    if (error) return unwritable(to(name).string(), error.message());
  }
  // They may be written to: copies.
  for (const char* name : {kJournal, kCheckpoint}) {
    fs::copy_file(from(name), to(name), error);
    if (error) return unwritable(to(name).string(), error.message());
  }
  return {};
}

OutputFolder::OutputFolder(OutputFolder&& other) noexcept
    : final_(std::move(other.final_)),
      working_(std::move(other.working_)),
      lock_(std::exchange(other.lock_, -1)),
      keep_(other.keep_) {}

OutputFolder::~OutputFolder() {
  if (lock_ < 0) return;
  if (!keep_) {
    std::error_code ignored;
    remove_all_files(working_);
    fs::remove(fs::path(working_) / ".lock", ignored);
    fs::remove(working_, ignored);
  }
  close(lock_);
}

bool OutputFolder::has_checkpoint() const {
  std::error_code ignored;
  return fs::is_regular_file(checkpoint(), ignored);
}

void OutputFolder::clear() {
  remove_all_files(working_);
  keep_ = false;
}

void OutputFolder::tidy(const std::string& out, const std::string& name) {
  remove_traces((fs::path(out) / name).string());
  std::error_code ignored;
  if (!fs::exists(working_of(out, name), ignored)) return;
  // Another program may be at work there.
  if (auto left = hold(out, name)) left->clear();
}

Result<void> OutputFolder::commit() {
  std::error_code error;
  sync_folder(working_);
  if (!fs::exists(fs::symlink_status(final_, error))) {
    fs::rename(working_, final_, error);
    if (error) return unwritable(final_, error.message());
    sync_folder(fs::path(final_).parent_path().string());
    remove_traces(final_);
    keep_ = false;
    return {};
  }
  if (!fs::is_directory(final_, error)) return unwritable(final_, "it is no folder");
  std::string names;
  for (const char* name : kOutputs)
    if (fs::exists(fs::path(working_) / name, error)) names += std::string(name) + "\n";
  VULTUS_CHECK(write_file((fs::path(working_) / kReplacing).string(), names));
  keep_ = true;
  return replace();
}

/// What is done already is passed over, so it can be ended anywhere and begun again.
Result<void> OutputFolder::replace() {
  const std::string marker = (fs::path(working_) / kReplacing).string();
  constexpr int64_t kMostBytes = 4096;
  VULTUS_TRY(const std::vector<std::byte> bytes, read_regular(marker, kMostBytes));
  std::set<std::string> names;
  std::istringstream lines(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  for (std::string line; std::getline(lines, line);)
    names.insert(line);
  std::error_code error;
  const auto from = [&](const char* name) { return fs::path(working_) / name; };
  const auto to = [&](const char* name) { return fs::path(final_) / name; };
  // Neither the old nor the new results are complete until the new mark is there.
  if (fs::exists(from(kOutputs.front()), error)) fs::remove(to(kOutputs.front()), error);
  for (auto name = kOutputs.rbegin(); name != kOutputs.rend(); ++name) {
    if (!names.contains(*name)) fs::remove(to(*name), error);
    if (!names.contains(*name) || !fs::exists(from(*name), error)) continue;
    if (std::next(name) == kOutputs.rend()) sync_folder(final_);
    fs::rename(from(*name), to(*name), error);
    if (error) return unwritable(to(*name).string(), error.message());
  }
  sync_folder(final_);
  fs::remove(marker, error);
  keep_ = false;
  return {};
}

}  // namespace vultus
