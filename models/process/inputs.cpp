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
#include <span>
#include <sstream>

#include "models/image/image.hpp"
#include "models/process/process.hpp"

namespace vultus {

namespace fs = std::filesystem;

namespace {

std::string first_of(const std::vector<std::string>& names) {
  constexpr size_t kNamed = 5;
  const size_t named = std::min(kNamed, names.size());
  const std::string more =
      names.size() > named ? fmt::format(" and {} more", names.size() - named) : "";
  return fmt::format("{}{}", fmt::join(std::span(names).first(named), ", "), more);
}

}  // namespace

std::string InputFiles::passed_over_text() const {
  return first_of(passed_over);
}

std::string InputFiles::folders_text() const {
  return first_of(folders);
}

Result<InputFiles> files_of(const std::string& input) {
  std::error_code error;
  if (!fs::is_directory(input, error)) return InputFiles{{{input, false}}, {}, {}};
  InputFiles found;
  fs::directory_iterator at(input, error), end;
  for (; !error && at != end; at.increment(error)) {
    std::string path = at->path().string();
    std::string name = at->path().filename().string();
    std::error_code ignored;
    // Hidden files are not recordings: "._clip.mov" is a shadow that some systems leave.
    if (name.front() == '.') continue;
    if (at->is_directory(ignored)) found.folders.push_back(name);
    if (!at->is_regular_file(ignored)) continue;
    if (is_video_path(path) || is_image_path(path))
      found.files.push_back({std::move(path), true});
    else
      found.passed_over.push_back(std::move(name));
  }
  if (error)
    return Error{Errc::bad_input,
                 fmt::format("{}: the folder cannot be read: {}", input, error.message())};
  std::ranges::sort(found.files, {}, &InputFile::path);
  std::ranges::sort(found.passed_over);
  std::ranges::sort(found.folders);
  if (!found.files.empty()) return found;
  std::string message = input + ": no video or picture in this folder";
  if (!found.passed_over.empty())
    message += fmt::format(" by its ending ({})", found.passed_over_text());
  if (!found.folders.empty())
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

namespace {

/// The folder that gets one input's results, while the names of all are settled.
struct Name {
  fs::path path;  ///< absolute
  int parts = 1;  ///< of the path, from its end
  bool ending = false;

  bool deepen() {
    if (parts >= std::distance(path.begin(), path.end()) - 1) return false;
    ++parts;
    return true;
  }
  fs::path text() const {
    fs::path name = ending ? path.filename() : path.stem();
    fs::path folder = path.parent_path();
    for (int i = 1; i < parts; ++i, folder = folder.parent_path())
      name = folder.filename() / name;
    return name;
  }
};

fs::path absolute(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  return (error ? fs::path(path) : whole).lexically_normal();
}

/// Whether one of them would lie in the other, or they are the same.
bool collide(const fs::path& a, const fs::path& b) {
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  return in_a == a.end() || in_b == b.end();
}

/// Media beside the input that only its ending tells from it.
bool has_twin(const fs::path& input) {
  std::error_code error;
  fs::directory_iterator at(input.parent_path(), error), end;
  for (; !error && at != end; at.increment(error)) {
    const fs::path& other = at->path();
    if (other.stem() == input.stem() && other.filename() != input.filename() &&
        (is_video_path(other.string()) || is_image_path(other.string())))
      return true;
  }
  return false;
}

/// Longer names for those that collide; false where there is nothing left to do.
bool part_colliding(std::vector<Name>& names) {
  bool changed = false;
  std::map<fs::path, std::vector<Name*>> sorted;
  for (Name& name : names)
    sorted[name.text()].push_back(&name);
  // What lies in another follows it in this order.
  std::set<Name*> colliding;
  for (auto at = sorted.begin(); at != sorted.end(); ++at) {
    for (Name* name : at->second)
      if (name->path != at->second.front()->path)
        colliding.insert(at->second.begin(), at->second.end());
    for (auto next = std::next(at); next != sorted.end() && collide(at->first, next->first); ++next)
      colliding.insert(at->second.begin(), at->second.end());
  }
  for (Name* name : colliding)
    changed |= name->deepen();
  return changed;
}

}  // namespace

std::vector<std::string> output_names(const std::vector<InputFile>& inputs) {
  std::vector<Name> names;
  std::map<fs::path, std::set<fs::path>> files;  // by path without ending
  for (const InputFile& input : inputs) {
    Name name{absolute(input.path), input.of_folder ? 2 : 1, false};
    files[name.path.parent_path() / name.path.stem()].insert(name.path);
    names.push_back(std::move(name));
  }
  for (Name& name : names)
    name.ending =
        files[name.path.parent_path() / name.path.stem()].size() > 1 || has_twin(name.path);
  while (part_colliding(names)) {
  }
  std::vector<std::string> texts;
  for (const Name& name : names)
    texts.push_back(name.text().string());
  return texts;
}

}  // namespace vultus
