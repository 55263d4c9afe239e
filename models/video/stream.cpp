#include "models/video/stream.hpp"

namespace vultus {

cv::Point2d coded_from_displayed(const VideoInfo& info, cv::Point2d displayed) {
  double right = info.coded_size.width - 1;
  double bottom = info.coded_size.height - 1;
  cv::Point2d coded = displayed;
  switch (info.orientation.clockwise_degrees) {
    case 90:
      coded = {displayed.y, bottom - displayed.x};
      break;
    case 180:
      coded = {right - displayed.x, bottom - displayed.y};
      break;
    case 270:
      coded = {right - displayed.y, displayed.x};
      break;
    default:
      break;
  }
  if (info.orientation.mirrored) coded.x = right - coded.x;
  return coded;
}

}  // namespace vultus
