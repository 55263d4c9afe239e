#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace vultus::test {

using Files = std::map<std::string, std::string>;

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Everything in a finished folder that does not tell the time of the run, by name.
inline Files contents(const std::filesystem::path& folder) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    files[name] = text_of(entry.path());
    if (name == "summary.json") {
      nlohmann::json summary = nlohmann::json::parse(files[name]);
      for (const char* timed : {"fps", "seconds", "busy_seconds", "stages", "uploads", "downloads",
                                "upload_bytes", "download_bytes"})
        summary.erase(timed);
      files[name] = summary.dump();
    }
    if (name == "report.html")  // but for what the run took and when it was made
      for (const char* section : {"times", "origin"}) {
        const size_t begin = files[name].find(fmt::format("<section id=\"{}\"", section));
        EXPECT_NE(begin, std::string::npos) << section;
        if (begin == std::string::npos) continue;
        files[name].erase(begin, files[name].find("</section>", begin) - begin);
      }
    if (name == "run.json" || name == "checkpoint" || name.starts_with("performance."))
      files[name].clear();
  }
  return files;
}

/// With the names alone in what a failure prints.
inline void expect_same(const Files& found, const Files& expected) {
  for (const auto& [name, bytes] : expected)
    EXPECT_TRUE(found.contains(name) && found.at(name) == bytes) << name;
  EXPECT_EQ(found.size(), expected.size());
}

}  // namespace vultus::test
