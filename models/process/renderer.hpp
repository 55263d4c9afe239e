#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "models/face/midline.hpp"
#include "models/face/stage_times.hpp"
#include "models/process/encoder.hpp"
#include "models/process/record.hpp"
#include "models/video/reader.hpp"

namespace vultus {

/// Draws and writes the output videos of one input, behind a short queue on threads of its own.
class Renderer {
 public:
  struct Options {
    std::string folder;  ///< gets left_mirrored.mp4, right_mirrored.mp4, overlay.mp4
    bool mirror = true;
    bool overlay = true;
  };
  /// `times` gets the stages "mirror", "overlay" and "encode" and outlives the renderer.
  static Result<std::unique_ptr<Renderer>> create(const Options& options, const VideoInfo& source,
                                                  face::StageTimes* times);
  /// Drops what was not finished.
  ~Renderer();

  /// False when something has failed; `finish` then tells what.
  bool push(Frame frame, FrameRecord record);
  struct Written {
    std::string file;
    WriteSummary summary;
  };
  /// Waits until all is written. No call may follow.
  Result<std::vector<Written>> finish();

 private:
  struct Job {
    Frame frame;
    FrameRecord record;
  };
  explicit Renderer(face::StageTimes* times) : times_(times) {}
  void work();
  bool render(const Job& job);

  face::StageTimes* times_;
  std::unique_ptr<Encoder> left_, right_, overlay_;
  BoundedQueue<Job> queue_{2};
  std::thread thread_;
};

/// The frame with every face's box, points and midline drawn over it.
cv::Mat draw_faces(const cv::Mat& bgr, const FrameRecord& record);

}  // namespace vultus
