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
#include <utility>

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
  remove_private(folder);
}

void sync_folder(const std::string& path) {
  int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

}  // namespace

Result<OutputFolder> OutputFolder::create(const std::string& out, const std::string& name,
                                          bool force) {
  const std::string final = (fs::path(out) / name).string();
  const std::string working = working_of(out, name);
  std::error_code error;
  if (fs::exists(fs::symlink_status(final, error)) && !force)
    return Error{Errc::unwritable, fmt::format("{}: exists; use --force to replace it", final)};
  if (fs::exists(out, error) && !fs::is_directory(out, error))
    return unwritable(out, "it is a file; name a folder with -o");
  fs::create_directories(working, error);
  if (error) return unwritable(working, error.message());
  const std::string lock_path = working + "/.lock";
  int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (lock < 0) return unwritable(lock_path, strerror(errno));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return unwritable(working, "another program is writing there");
  }
  OutputFolder folder(final, working, lock);
  // Until it is known to be of no use: an error of the disk or network must not cost it.
  folder.keep_ = true;
  const fs::file_status status = fs::status(folder.checkpoint(), error);
  if (status.type() == fs::file_type::none) return unwritable(folder.checkpoint(), error.message());
  if (!fs::is_regular_file(status)) folder.clear();
  return folder;
}

std::string OutputFolder::working_of(const std::string& out, const std::string& name) {
  // A name that no input's output can have.
  const fs::path final = fs::path(out) / name;
  return (final.parent_path() / fmt::format(".{}.vultus-partial", final.filename().string()))
      .string();
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

void OutputFolder::tidy(const std::string& path) {
  remove_private(path);
  std::error_code ignored;
  fs::remove(fs::path(path) / ".lock", ignored);
}

Result<void> OutputFolder::commit() {
  std::error_code error;
  sync_folder(working_);
  if (!fs::exists(fs::symlink_status(final_, error))) {
    fs::rename(working_, final_, error);
    if (error) return unwritable(final_, error.message());
    sync_folder(fs::path(final_).parent_path().string());
    tidy(final_);
    keep_ = false;
    return {};
  }
  for (const char* name : kOutputs)
    fs::remove(fs::path(final_) / name, error);
  for (auto name = kOutputs.rbegin(); name != kOutputs.rend(); ++name) {
    const fs::path from = fs::path(working_) / *name;
    if (!fs::exists(from, error)) continue;
    if (std::strcmp(*name, "summary.json") == 0) sync_folder(final_);
    fs::rename(from, fs::path(final_) / *name, error);
    if (error) return unwritable((fs::path(final_) / *name).string(), error.message());
  }
  sync_folder(final_);
  keep_ = false;
  return {};
}

}  // namespace vultus
