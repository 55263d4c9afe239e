#include "models/face/priors.hpp"

#include <array>
#include <cstddef>

namespace vultus::face {

namespace {

struct Level {
  int step;
  std::array<int, 2> sizes_px;
};
constexpr std::array<Level, 3> kLevels{{{8, {16, 32}}, {16, {64, 128}}, {32, {256, 512}}}};

int cells(int size, int step) {
  return (size + step - 1) / step;
}

}  // namespace

int64_t retinaface_prior_count(int width, int height) {
  int64_t count = 0;
  for (const Level& level : kLevels)
    count += int64_t{2} * cells(width, level.step) * cells(height, level.step);
  return count;
}

std::vector<Prior> retinaface_priors(int width, int height) {
  std::vector<Prior> priors;
  priors.reserve(static_cast<size_t>(retinaface_prior_count(width, height)));
  for (const Level& level : kLevels)
    for (int row = 0; row < cells(height, level.step); ++row)
      for (int column = 0; column < cells(width, level.step); ++column)
        for (int size : level.sizes_px)
          priors.push_back({(column + 0.5) * level.step / width, (row + 0.5) * level.step / height,
                            static_cast<double>(size) / width, static_cast<double>(size) / height});
  return priors;
}

}  // namespace vultus::face
