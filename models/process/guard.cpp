#include "models/process/guard.hpp"

#include <new>
#include <opencv2/core.hpp>
#include <system_error>

namespace vultus {

Error error_of(const std::exception& thrown) {
  const Error memory{Errc::out_of_memory,
                     "not enough memory: end other programs, or process one input at a time in "
                     "smaller pictures"};
  if (dynamic_cast<const std::bad_alloc*>(&thrown)) return memory;
  if (auto* opencv = dynamic_cast<const cv::Exception*>(&thrown)) {
    if (opencv->code == cv::Error::StsNoMem) return memory;
    return {Errc::internal,
            "OpenCV failed, please report it: " + opencv->err + " in " + opencv->func};
  }
  if (dynamic_cast<const std::system_error*>(&thrown))
    return {Errc::out_of_memory, std::string("the system gave no more threads or memory (") +
                                     thrown.what() +
                                     "): end other programs, or raise the limit (ulimit)"};
  return {Errc::internal, std::string("failed, please report it: ") + thrown.what()};
}

}  // namespace vultus
