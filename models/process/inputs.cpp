#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "models/image/image.hpp"
#include "models/process/process.hpp"

namespace vultus {

namespace fs = std::filesystem;

std::string InputFiles::passed_over_text() const {
  constexpr size_t kNamed = 5;
  const size_t named = std::min(kNamed, passed_over.size());
  const std::vector<std::string> few(passed_over.begin(),
                                     passed_over.begin() + static_cast<std::ptrdiff_t>(named));
  const std::string more =
      passed_over.size() > named ? fmt::format(" and {} more", passed_over.size() - named) : "";
  return fmt::format("{}{}", fmt::join(few, ", "), more);
}

Result<InputFiles> files_of(const std::string& input) {
  std::error_code error;
  if (!fs::is_directory(input, error)) return InputFiles{{input}, {}};
  InputFiles found;
  int folders = 0;
  fs::directory_iterator at(input, error), end;
  for (; !error && at != end; at.increment(error)) {
    std::string path = at->path().string();
    std::string name = at->path().filename().string();
    std::error_code ignored;
    // Hidden files are not recordings: "._clip.mov" is a shadow that some systems leave.
    if (name.front() == '.') continue;
    folders += at->is_directory(ignored);
    if (!at->is_regular_file(ignored)) continue;
    if (is_video_path(path) || is_image_path(path))
      found.files.push_back(std::move(path));
    else
      found.passed_over.push_back(std::move(name));
  }
  if (error)
    return Error{Errc::bad_input,
                 fmt::format("{}: the folder cannot be read: {}", input, error.message())};
  std::ranges::sort(found.files);
  std::ranges::sort(found.passed_over);
  if (!found.files.empty()) return found;
  std::string message = input + ": no video or picture in this folder";
  if (!found.passed_over.empty())
    message += fmt::format(" by its ending ({})", found.passed_over_text());
  if (folders > 0)
    message += ", and the folders in it are not searched: name those that hold the videos";
  return Error{Errc::bad_input, message};
}

Result<std::vector<std::string>> read_list(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    std::error_code error;
    const bool folder = fs::is_directory(path, error);
    if (!folder) file.open(path, std::ios::binary);
    if (folder || !file)
      return Error{Errc::bad_input, fmt::format("{}: the list of inputs cannot be read: {}", path,
                                                std::strerror(folder ? EISDIR : errno))};
  }
  std::istream& stream = path == "-" ? std::cin : file;
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const char separator = text.find('\0') == std::string::npos ? '\n' : '\0';
  std::vector<std::string> paths;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line, separator);) {
    if (separator == '\n' && line.ends_with('\r')) line.pop_back();
    if (!line.empty()) paths.push_back(std::move(line));
  }
  if (paths.empty())
    return Error{Errc::bad_input, fmt::format("{}: the list of inputs names no file", path)};
  return paths;
}

std::vector<std::string> output_names(const std::vector<std::string>& inputs) {
  std::map<std::string, int> stems;
  for (const std::string& input : inputs)
    ++stems[fs::path(input).stem().string()];
  std::set<std::string> taken;
  std::vector<std::string> names;
  for (const std::string& input : inputs) {
    const fs::path path(input);
    const std::string stem = path.stem().string();
    const std::string base = stems[stem] > 1 ? path.filename().string() : stem;
    std::string name = base;
    for (int n = 2; !taken.insert(name).second; ++n)
      name = fmt::format("{}-{}", base, n);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace vultus
