#include "models/process/landmark_csv.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>

namespace vultus {

namespace {

constexpr size_t kHeadCells = 5, kBoxCells = 4;

std::string header(size_t points) {
  std::string line = "frame,face_id,timestamp,confidence,success";
  for (char axis : {'x', 'y'})
    for (size_t i = 0; i < points; ++i)
      line += fmt::format(",{}_{}", axis, i);
  return line + ",box_x,box_y,box_w,box_h\n";
}

Error unwritable(const std::string& path) {
  return {Errc::unwritable, fmt::format("{}: cannot be written: {}", path, strerror(errno))};
}

}  // namespace

Result<LandmarkCsv> LandmarkCsv::create(const std::string& path, face::LandmarkScheme scheme) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (!file) return unwritable(path);
  LandmarkCsv csv(path, file, face::point_count(scheme));
  VULTUS_CHECK(csv.write(header(csv.points_)));
  return csv;
}

Result<void> LandmarkCsv::write(const std::string& line) {
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size())
    return unwritable(path_);
  return {};
}

Result<void> LandmarkCsv::add(int64_t frame, std::optional<double> seconds,
                              const std::vector<face::TrackedFace>& faces) {
  const std::string time = seconds ? fmt::format("{:.6f}", *seconds) : "";
  if (faces.empty())
    return write(
        fmt::format("{},,{},,0{}\n", frame, time, std::string(2 * points_ + kBoxCells, ',')));
  for (const face::TrackedFace& face : faces) {
    std::string line;
    auto out = std::back_inserter(line);
    fmt::format_to(out, "{},{},{},{:.4f},1", frame, face.id, time, face.score);
    for (const face::Point& p : face.landmarks.points)
      fmt::format_to(out, ",{:.3f}", p.x);
    for (const face::Point& p : face.landmarks.points)
      fmt::format_to(out, ",{:.3f}", p.y);
    fmt::format_to(out, ",{:.3f},{:.3f},{:.3f},{:.3f}\n", face.box.x1, face.box.y1,
                   face.box.width(), face.box.height());
    VULTUS_CHECK(write(line));
  }
  return {};
}

Result<void> LandmarkCsv::finish() {
  if (std::fflush(file_.get()) != 0 || fsync(fileno(file_.get())) != 0) return unwritable(path_);
  if (std::fclose(file_.release()) != 0) return unwritable(path_);
  return {};
}

Result<int64_t> verify_landmark_csv(const std::string& path, face::LandmarkScheme scheme,
                                    int64_t frames) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  const size_t points = face::point_count(scheme);
  auto mismatch = [&](int64_t number, std::string_view what) {
    return Error{Errc::mismatch, fmt::format("{}: line {}: {}", path, number, what)};
  };
  if (!std::getline(file, line) || line + "\n" != header(points))
    return mismatch(1, "not the header that was written");
  const auto commas = static_cast<std::ptrdiff_t>(kHeadCells + 2 * points + kBoxCells - 1);
  int64_t last = 0, with_face = 0;
  for (int64_t number = 2; std::getline(file, line); ++number) {
    int64_t frame = 0;
    std::from_chars(line.data(), line.data() + line.size(), frame);
    if (std::count(line.begin(), line.end(), ',') != commas)
      return mismatch(number, "cells are missing");
    if (frame != last + 1 && (frame != last || last == 0))
      return mismatch(number, fmt::format("frame {} follows frame {}", frame, last));
    last = frame;
    // An empty face_id: nothing was measured.
    if (line.find(",,") != line.find(',')) ++with_face;
  }
  if (last != frames)
    return mismatch(last + 1, fmt::format("{} of {} frames have a row", last, frames));
  return with_face;
}

}  // namespace vultus
