#include "models/process/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "apps/common.hpp"

namespace vultus::app {

namespace {

struct Options {
  std::vector<std::string> folders;
  bool json = false;
};

std::string make_again(const Verification& found) {
  if (found.make_again.empty()) return "vultus process INPUT -o FOLDER --force";
  std::vector<std::string> words = found.make_again;
  // Where the results are now.
  const auto out = std::filesystem::path(absolute_path(found.folder)).parent_path();
  words.insert(words.end(), {"--output", out.string(), "--force"});
  return vultus_command(words);
}

void print(const Verification& found) {
  fmt::print("{}: {}, {} frames, {} files{}\n", found.folder,
             found.differences.empty() ? "verified" : "DIFFERENT", found.frames,
             found.checked.size(), found.complete ? "" : ", PARTIAL as it was made");
  constexpr size_t kMost = 10;
  for (size_t i = 0; i < std::min(kMost, found.differences.size()); ++i)
    fmt::print("  {}\n", found.differences[i]);
  if (found.differences.size() > kMost)
    fmt::print("  and {} more\n", found.differences.size() - kMost);
  if (!found.differences.empty()) fmt::print("  make again: {}\n", make_again(found));
}

Json as_json(const Verification& found) {
  return {{"folder", found.folder},
          {"input", found.input},
          {"frames", found.frames},
          {"complete", found.complete},
          {"checked", found.checked},
          {"verified", found.differences.empty()},
          {"differences", found.differences},
          {"make_again", found.differences.empty() ? "" : make_again(found)}};
}

void print(const Unfinished& found) {
  fmt::print(
      "{}: UNFINISHED, {} frames measured ({}); the same vultus process command as before "
      "goes on from there\n",
      found.results, found.frames, found.folder);
}

Json as_json(const Unfinished& found) {
  return {{"folder", found.folder}, {"results", found.results}, {"frames", found.frames}};
}

int verify(const Options& options) {
  int code = kComplete;
  size_t good = 0, different = 0, unfinished = 0;
  Json results = Json::array(), left = Json::array();
  auto note = [&](const Error& error) {
    report(error);
    if (code == kComplete) code = exit_code(error.code);
  };
  for (const std::string& path : options.folders) {
    const std::vector<Unfinished> begun = unfinished_results(path);
    unfinished += begun.size();
    for (const Unfinished& each : begun) {
      if (options.json)
        left.push_back(as_json(each));
      else
        print(each);
    }
    auto folders = result_folders(path);
    if (!folders) {
      if (begun.empty()) note(folders.error());
      continue;
    }
    for (const std::string& folder : *folders) {
      auto found = verify_results(folder);
      if (!found) {
        note(found.error());
        continue;
      }
      (found->differences.empty() ? good : different)++;
      if (options.json)
        results.push_back(as_json(*found));
      else
        print(*found);
    }
  }
  if (different > 0) code = kMismatch;
  if (code == kComplete && unfinished > 0) code = kPartial;
  if (options.json)
    print_json({{"schema", 1}, {"exit_code", code}, {"results", results}, {"unfinished", left}});
  else if (good + different + unfinished > 1)
    fmt::print("{} verified, {} different{}\n", good, different,
               unfinished > 0 ? fmt::format(", {} unfinished", unfinished) : "");
  return code;
}

}  // namespace

void add_verify(CLI::App& app, int& status) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(
      "verify", "re-open results of process: checksums, a row and a picture for every frame");
  command
      ->add_option("folder", options->folders,
                   "folders of results: of one input, or those given to process with -o")
      ->required();
  command->add_flag("--json", options->json, "one JSON document on stdout");
  command->footer(
      "Exit code 9 where something differs from what run.json says was written, 4 where there is "
      "no run.json,\n3 where all is as written but a run was stopped and is not "
      "finished.\nExample:\n  vultus verify results");
  command->callback([options, &status] { status = verify(*options); });
}

}  // namespace vultus::app
