#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <thread>

#include "models/face/stage_times.hpp"
#include "models/process/bounded_queue.hpp"
#include "models/video/writer.hpp"

namespace vultus {

/// A VideoWriter on its own thread behind a short queue. An encoder that fails closes its queue, so
/// that `push` returns at once and `finish` tells why.
class Encoder {
 public:
  /// `times` gets the stage "encode" and outlives the encoder.
  static Result<std::unique_ptr<Encoder>> create(const std::string& path,
                                                 const WriterOptions& options,
                                                 face::StageTimes* times);
  /// Drops what was not finished.
  ~Encoder();

  /// The picture is kept until it is written; the caller must not write to it any more. False when
  /// the encoder has failed.
  bool push(cv::Mat bgr, int64_t pts, int64_t duration);
  /// Waits until all is written. No call may follow.
  Result<WriteSummary> finish();

 private:
  struct Item {
    cv::Mat bgr;
    int64_t pts = 0, duration = 0;
  };
  Encoder(VideoWriter writer, face::StageTimes* times);
  void work();

  VideoWriter writer_;
  face::StageTimes* times_;
  BoundedQueue<Item> queue_{4};
  Result<void> failure_;  ///< written by the thread, read after it has ended
  std::thread thread_;
};

}  // namespace vultus
