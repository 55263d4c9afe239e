#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <thread>

#include "models/face/stage_times.hpp"
#include "models/process/bounded_queue.hpp"
#include "models/process/mark.hpp"
#include "models/video/writer.hpp"

namespace vultus {

/// A VideoWriter on its own thread behind a short queue. An encoder that fails closes its queue, so
/// that `push` returns at once and `finish` tells why.
class Encoder {
 public:
  /// `times` gets the stages "convert" and "encode" and outlives the encoder.
  static std::unique_ptr<Encoder> create(VideoWriter writer, face::StageTimes* times);
  /// Drops what came after the last mark.
  ~Encoder();

  /// Converts the picture on the calling thread. False when the encoder has failed.
  bool push(const cv::Mat& bgr, int64_t pts, int64_t duration);
  /// Makes a checkpoint of the writer after what was pushed, and reports it as `part` of the mark.
  void mark(std::shared_ptr<Mark> mark, size_t part);
  /// Waits until all that was pushed is written; tells what has failed. No call may follow.
  Result<void> finish();

 private:
  struct Item {
    Result<CodablePicture> picture;
    int64_t pts = 0, duration = 0;
    std::shared_ptr<Mark> mark;  ///< in place of a picture
    size_t part = 0;
  };
  Encoder(VideoWriter writer, face::StageTimes* times);
  void work();
  Result<void> write(Item& item);

  VideoWriter writer_;
  face::StageTimes* times_;
  BoundedQueue<Item> queue_{1};
  Result<void> failure_;  ///< written by the thread, read after it has ended
  std::thread thread_;
};

}  // namespace vultus
