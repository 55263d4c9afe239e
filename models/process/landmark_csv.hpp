#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "models/face/tracker.hpp"

namespace vultus {

/// landmarks.csv: frame (from 1), face_id, timestamp (seconds as the container tells), confidence,
/// success, x_0.., y_0.., box_x, box_y, box_w, box_h. Pixels of the upright frame. Every decoded
/// frame has a row, several where there are several faces; what was not measured is an empty cell.
/// Separator ",", decimal point ".", lines end with "\n".
class LandmarkCsv {
 public:
  static Result<LandmarkCsv> create(const std::string& path, face::LandmarkScheme scheme);

  /// `seconds` is nothing for a picture, which has no time.
  Result<void> add(int64_t frame, std::optional<double> seconds,
                   const std::vector<face::TrackedFace>& faces);
  /// Flushes to the disk and closes. No call may follow.
  Result<void> finish();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  LandmarkCsv(std::string path, std::FILE* file, size_t points)
      : path_(std::move(path)), file_(file), points_(points) {}
  Result<void> write(const std::string& line);

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
  size_t points_;
};

/// Reads a landmarks.csv again: every row has all cells, and the frames are 1..frames with none
/// missing. Returns the number of rows with a face; mismatch names the first bad line.
Result<int64_t> verify_landmark_csv(const std::string& path, face::LandmarkScheme scheme,
                                    int64_t frames);

}  // namespace vultus
