#include "models/process/csv_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

namespace vultus {

namespace {

Error unwritable(const std::string& path) {
  return {Errc::unwritable, fmt::format("{}: cannot be written: {}", path, strerror(errno))};
}

}  // namespace

Result<CsvFile> CsvFile::create(const std::string& path, std::string_view header) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (!file) return unwritable(path);
  const auto commas = static_cast<size_t>(std::ranges::count(header, ','));
  CsvFile csv(path, file, commas + 1);
  VULTUS_CHECK(csv.add(header));
  return csv;
}

Result<void> CsvFile::add(std::string_view row) {
  if (std::fwrite(row.data(), 1, row.size(), file_.get()) != row.size() ||
      std::fputc('\n', file_.get()) == EOF)
    return unwritable(path_);
  return {};
}

Result<void> CsvFile::finish() {
  if (std::fflush(file_.get()) != 0 || fsync(fileno(file_.get())) != 0) return unwritable(path_);
  if (std::fclose(file_.release()) != 0) return unwritable(path_);
  return {};
}

Result<int64_t> verify_frames(const std::string& path, std::string_view header, int64_t frames) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  auto mismatch = [&](int64_t number, std::string_view what) {
    return Error{Errc::mismatch, fmt::format("{}: line {}: {}", path, number, what)};
  };
  if (!std::getline(file, line) || line != header)
    return mismatch(1, "not the header that was written");
  const auto commas = std::count(header.begin(), header.end(), ',');
  int64_t last = 0, with_face = 0;
  for (int64_t number = 2; std::getline(file, line); ++number) {
    int64_t frame = 0;
    std::from_chars(line.data(), line.data() + line.size(), frame);
    if (std::count(line.begin(), line.end(), ',') != commas)
      return mismatch(number, "cells are missing");
    if (frame != last + 1 && (frame != last || last == 0))
      return mismatch(number, fmt::format("frame {} follows frame {}", frame, last));
    last = frame;
    if (line.find(",,") != line.find(',')) ++with_face;
  }
  if (last != frames)
    return mismatch(last + 1, fmt::format("{} of {} frames have a row", last, frames));
  return with_face;
}

}  // namespace vultus
