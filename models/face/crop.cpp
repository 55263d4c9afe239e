#include "models/face/crop.hpp"

#include <algorithm>

namespace vultus::face {

Square Square::rounded() const {
  auto to_float = [](double v) { return static_cast<double>(static_cast<float>(v)); };
  return {{to_float(centre.x), to_float(centre.y)}, to_float(side)};
}

Square square_of_longer_side(const Box& box) {
  return {box.centre(), std::max(box.width(), box.height())};
}

Square square_of_shorter_side(const Box& box) {
  return {box.centre(), kStarPerSide * std::min(box.width(), box.height())};
}

Square square_of_height(const Box& box) {
  return {box.centre(), box.height()};
}

}  // namespace vultus::face
