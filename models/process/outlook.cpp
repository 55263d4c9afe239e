#include "models/process/outlook.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "models/process/checkpoint.hpp"
#include "models/process/output_folder.hpp"
#include "models/process/program.hpp"
#include "models/process/settings.hpp"
#include "models/process/verify.hpp"

namespace vultus {

namespace {

using Action = Outlook::Action;

constexpr const char* kNextStep = "name another folder with -o, or replace it with --force";

/// Size and time of change, which tell another file of the same name.
Result<std::string> source_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    return Error{Errc::bad_input, fmt::format("{}: {}", path, strerror(errno))};
  return fmt::format("{} bytes, changed {}.{:09}", status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec);
}

void refuse(Outlook& outlook, const std::string& why, const std::string& step = kNextStep) {
  outlook.action = Action::refuse;
  outlook.refusal = Error{Errc::unwritable, fmt::format("{}: {}; {}", outlook.folder, why, step)};
}

bool lists(const Summary& summary, const std::string& file) {
  return std::ranges::find(summary.outputs, file) != summary.outputs.end();
}

/// Whether what is there is what was written; else it is refused.
bool is_whole(Outlook& outlook) {
  auto found = verify_results(outlook.folder, Depth::sizes);
  if (!found) {
    refuse(outlook, "is damaged: " + found.error().what);
    return false;
  }
  if (!found->differences.empty())
    refuse(outlook, fmt::format("is not as it was written: {}", found->differences.front()),
           "make it again with --force, or name another folder with -o");
  return found->differences.empty();
}

/// Of finished results of the same recording.
void weigh(Outlook& outlook, const ProcessOptions& options, const Pack& pack) {
  const Summary& before = *outlook.before;
  outlook.kept = kept_settings(options, before.options);
  const Differences differences =
      differences_of(before.options, settings_of(with_settings(options, outlook.kept), pack));
  if (differences.text.empty()) {
    outlook.action = Action::skip;
  } else if (before.options.empty()) {
    refuse(outlook, "holds results of an earlier version, which does not tell its options");
  } else if (differences.in_tables_alone && lists(before, OutputFolder::kJournal)) {
    outlook.action = Action::remake;
    outlook.differences = differences.text;
  } else {
    refuse(outlook, fmt::format("holds results made with other options ({})", differences.text));
  }
}

void look_for_checkpoint(Outlook& outlook, const std::string& working,
                         const std::string& identity) {
  auto checkpoint = Checkpoint::load(working + "/" + OutputFolder::kCheckpoint);
  if (!checkpoint || checkpoint->identity != identity) return;
  outlook.action = Action::resume;
  outlook.measured = checkpoint->frames;
}

}  // namespace

Result<Outlook> look_ahead(const ProcessOptions& options, const Pack& pack,
                           const std::string& input, const std::string& name) {
  namespace fs = std::filesystem;
  Outlook outlook;
  outlook.folder = (fs::path(options.out) / name).string();
  VULTUS_TRY(outlook.source, source_of(input));
  if (options.force) return outlook;
  std::error_code ignored;
  // A run will finish that first.
  const bool half =
      fs::is_directory(outlook.folder, ignored) && OutputFolder::half_replaced(options.out, name);
  if (half)
    outlook.before = read_summary(OutputFolder::working_of(options.out, name) + "/summary.json");
  if (!outlook.before) outlook.before = read_summary(outlook.folder + "/summary.json");
  if (outlook.before && outlook.before->source == outlook.source) {
    if (half || is_whole(outlook)) weigh(outlook, options, pack);
  } else if (outlook.before) {
    refuse(outlook, fmt::format("holds the results of another recording or state of it ({})",
                                outlook.before->input));
  } else if (fs::exists(fs::symlink_status(outlook.folder, ignored))) {
    refuse(outlook, "holds something else than finished results");
  } else {
    look_for_checkpoint(outlook, OutputFolder::working_of(options.out, name),
                        fmt::format("{}; {}", program(),
                                    measured_from(settings_of(options, pack), outlook.source)));
  }
  return outlook;
}

}  // namespace vultus
