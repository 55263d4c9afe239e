#include "models/face/crop.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <opencv2/core/utility.hpp>
#include <vector>

namespace vultus::face {

namespace {

/// The two source columns (or rows) of one crop column and their weights; a weight is 0 where the
/// source lies outside, and the index is then any valid one.
struct Tap {
  int first = 0, second = 0;
  float first_weight = 0, second_weight = 0;
};

std::vector<Tap> taps(double centre, double side, int size, int source, CropGrid grid) {
  std::vector<Tap> result(static_cast<size_t>(size));
  for (int u = 0; u < size; ++u) {
    double at = grid == CropGrid::centres ? centre - side / 2 + (u + 0.5) * side / size - 0.5
                                          : centre + (u - (size - 1) / 2.0) * side / size;
    // Far outside, or not a number: both taps are outside, and the cast would overflow.
    if (!(at > -1 && at < source)) continue;
    double low = std::floor(at);
    int first = static_cast<int>(low);
    auto fraction = static_cast<float>(at - low);
    Tap& tap = result[static_cast<size_t>(u)];
    if (first >= 0) {
      tap.first = first;
      tap.first_weight = 1 - fraction;
    }
    if (first + 1 < source) {
      tap.second = first + 1;
      tap.second_weight = fraction;
    }
  }
  return result;
}

}  // namespace

void crop(const cv::Mat& bgr, const Square& square, int size, CropGrid grid,
          const CropFormat& format, std::span<float> out) {
  assert(bgr.type() == CV_8UC3 && size > 0);
  const auto row_length = static_cast<size_t>(size);
  const size_t area = row_length * row_length;
  assert(out.size() == format.planes() * area);
  const std::vector<Tap> columns = taps(square.centre.x, square.side, size, bgr.cols, grid);
  const std::vector<Tap> rows = taps(square.centre.y, square.side, size, bgr.rows, grid);
  const bool rgb = format.channels == CropFormat::Channels::rgb;
  const bool grey = format.channels == CropFormat::Channels::grey;

  cv::parallel_for_({0, size}, [&](const cv::Range& range) {
    for (int v = range.start; v < range.end; ++v) {
      const Tap& row = rows[static_cast<size_t>(v)];
      const uint8_t* upper = bgr.ptr<uint8_t>(row.first);
      const uint8_t* lower = bgr.ptr<uint8_t>(row.second);
      float* to = out.data() + static_cast<size_t>(v) * row_length;
      for (size_t u = 0; u < row_length; ++u) {
        const Tap& column = columns[u];
        const size_t left = 3 * static_cast<size_t>(column.first);
        const size_t right = 3 * static_cast<size_t>(column.second);
        std::array<float, 3> sample;
        for (size_t c = 0; c < 3; ++c) {
          auto at = [&](const uint8_t* line) {
            return column.first_weight * static_cast<float>(line[left + c]) +
                   column.second_weight * static_cast<float>(line[right + c]);
          };
          sample[c] = row.first_weight * at(upper) + row.second_weight * at(lower);
        }
        if (grey) sample[0] = 0.114f * sample[0] + 0.587f * sample[1] + 0.299f * sample[2];
        if (rgb) std::swap(sample[0], sample[2]);
        for (size_t c = 0; c < format.planes(); ++c)
          to[c * area + u] = sample[c] * format.scale[c] + format.shift[c];
      }
    }
  });
}

Square square_of_longer_side(const Box& box) {
  return {box.centre(), std::max(box.width(), box.height())};
}

Square square_of_shorter_side(const Box& box) {
  return {box.centre(), 1.05 * std::min(box.width(), box.height())};
}

Square square_of_height(const Box& box) {
  return {box.centre(), box.height()};
}

}  // namespace vultus::face
