#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "models/image/image.hpp"
#include "models/process/process.hpp"

namespace vultus {

namespace fs = std::filesystem;

Result<std::vector<std::string>> expand_inputs(const std::vector<std::string>& inputs) {
  std::vector<std::string> files;
  for (const std::string& input : inputs) {
    std::error_code error;
    if (!fs::is_directory(input, error)) {
      files.push_back(input);
      continue;
    }
    std::vector<std::string> found;
    int folders = 0;
    fs::directory_iterator at(input, error), end;
    for (; !error && at != end; at.increment(error)) {
      std::string path = at->path().string();
      std::error_code ignored;
      // Hidden files are not recordings: "._clip.mov" is a shadow that some systems leave.
      if (at->path().filename().string().front() == '.') continue;
      folders += at->is_directory(ignored);
      if ((is_video_path(path) || is_image_path(path)) && at->is_regular_file(ignored))
        found.push_back(std::move(path));
    }
    if (error)
      return Error{Errc::bad_input,
                   fmt::format("{}: the folder cannot be read: {}", input, error.message())};
    if (found.empty())
      return Error{
          Errc::bad_input,
          fmt::format("{}: no video or picture in this folder{}", input,
                      folders == 0 ? ""
                                   : ", and the folders in it are not searched: name those "
                                     "that hold the videos")};
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
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
