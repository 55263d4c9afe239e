#include "apps/failures.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include "apps/common.hpp"
#include "host/core/write_file.hpp"
#include "models/process/summary.hpp"
#include "models/process/verify.hpp"

namespace vultus::app {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFailuresHeader = "input,exit_code,reason,command\n";

std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text)
    quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string row(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& text : cells)
    line += (line.empty() ? "" : ",") + cell(text);
  return line + "\n";
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What `row` has written: cells of lines.
std::vector<std::vector<std::string>> rows_of(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool doubled = quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"';
    if (c == '"' && !doubled) {
      quoted = !quoted;
    } else if (quoted || (c != ',' && c != '\n')) {
      cells.back() += c;
      i += doubled;
    } else if (c == ',') {
      cells.emplace_back();
    } else {
      rows.push_back(std::exchange(cells, {""}));
    }
  }
  return rows;
}

std::vector<Failure> read_failures(const std::string& out) {
  const std::string text = text_of(fs::path(out) / "failed.csv");
  if (!text.starts_with(kFailuresHeader)) return {};
  std::vector<Failure> failures;
  for (const std::vector<std::string>& cells :
       rows_of(text.substr(std::string_view(kFailuresHeader).size()))) {
    if (cells.size() != 4) continue;
    int code = 0;
    std::from_chars(cells[1].data(), cells[1].data() + cells[1].size(), code);
    failures.push_back({cells[0], code, cells[2], cells[3]});
  }
  return failures;
}

/// Absolute paths of the inputs that have complete results in OUT, whose files are all there.
std::vector<std::string> complete_inputs(const std::string& out) {
  std::vector<std::string> inputs;
  const auto folders = result_folders(out);
  if (!folders) return inputs;
  for (const std::string& folder : *folders) {
    const auto summary = read_summary(folder + "/summary.json");
    if (!summary || !summary->complete) continue;
    const auto found = verify_results(folder, Depth::sizes);
    if (found && found->differences.empty()) inputs.push_back(summary->input_path);
  }
  return inputs;
}

std::string text_at(const Json& object, const char* key) {
  const Json value = object.value(key, Json());
  return value.is_string() ? value.get<std::string>() : "";
}

double number_at(const Json& object, const char* key) {
  const Json value = object.value(key, Json());
  return value.is_number() ? value.get<double>() : 0;
}

std::string lines_at(const Json& object, const char* key) {
  std::vector<std::string> lines;
  for (const Json& line : object.value(key, Json::array()))
    if (line.is_string()) lines.push_back(line.get<std::string>());
  return fmt::format("{}", fmt::join(lines, " | "));
}

std::string baseline_of(const Json& summary) {
  const Json baseline = summary.value("baseline", Json());
  if (!baseline.is_object()) return "";
  const std::string how = text_at(baseline, "how");
  if (!baseline.value("from", Json()).is_number()) return how;
  return fmt::format("{} {:.2f}-{:.2f} s", how, number_at(baseline, "from"),
                     number_at(baseline, "to"));
}

/// 1 or 0; nothing where the results are of a version that does not tell.
std::string mirrored_input_of(const Json& summary) {
  const Json options = summary.value("options", Json());
  const std::string text = options.is_object() ? text_at(options, "mirrored-input") : "";
  return text.empty() ? "" : text == "yes" ? "1" : "0";
}

/// "12 of 26" numbers of the sheet that are valid.
std::string valid_of(const Json& summary) {
  if (!summary.contains("valid_numbers")) return "";
  return fmt::format("{:.0f} of {:.0f}", number_at(summary, "valid_numbers"),
                     number_at(summary, "sheet_numbers"));
}

std::string percent(double part, double whole) {
  return fmt::format("{:.1f}", whole > 0 ? 100 * part / whole : 0);
}

/// Of summary.json in a folder; nothing where it is not there or damaged.
std::string row_of_results(const std::string& folder, std::string& input) {
  std::ifstream file(folder + "/summary.json", std::ios::binary);
  const Json summary = Json::parse(file, nullptr, false);
  if (!summary.is_object()) return {};
  input = text_at(summary, "input_path");
  const double frames = number_at(summary, "frames");
  return row({input, absolute_path(folder), text_at(summary, "status"),
              fmt::format("{:.0f}", frames),
              percent(frames - number_at(summary, "frames_without_face"), frames),
              percent(number_at(summary, "usable_frames"), frames), baseline_of(summary),
              lines_at(summary, "lost"), lines_at(summary, "warnings"), mirrored_input_of(summary),
              valid_of(summary)});
}

}  // namespace

std::vector<Failure> earlier_failures(const std::string& out,
                                      const std::vector<std::string>& settled) {
  std::vector<Failure> failures = read_failures(out);
  if (failures.empty()) return {};
  const std::vector<std::string> complete = complete_inputs(out);
  std::erase_if(failures, [&](const Failure& failure) {
    return std::ranges::find(settled, failure.input) != settled.end() ||
           std::ranges::find(complete, failure.input) != complete.end();
  });
  return failures;
}

Result<void> write_failures(const std::string& out, const std::vector<Failure>& failures) {
  const std::string path = (fs::path(out) / "failed.csv").string();
  std::error_code error;
  if (failures.empty()) {
    fs::remove(path, error);
    return {};
  }
  std::string text = kFailuresHeader;
  for (const Failure& failure : failures)
    text +=
        row({failure.input, std::to_string(failure.exit_code), failure.reason, failure.command});
  fs::create_directories(out, error);
  return write_file(path, {text});
}

Result<void> write_overview(const std::string& out, const std::vector<Failure>& failures) {
  std::string text;
  std::vector<std::string> inputs;
  if (const auto folders = result_folders(out))
    for (const std::string& folder : *folders)
      text += row_of_results(folder, inputs.emplace_back());
  for (const Failure& failure : failures)
    if (std::ranges::find(inputs, failure.input) == inputs.end())
      text += row({failure.input, "", "failed", "", "", "", "", failure.reason, "", "", ""});
  if (text.empty()) return {};
  return write_file((fs::path(out) / "summary.csv").string(),
                    {"input,folder,status,frames,face_percent,usable_percent,baseline,lost,"
                     "warnings,mirrored_input,valid_numbers\n",
                     text});
}

}  // namespace vultus::app
