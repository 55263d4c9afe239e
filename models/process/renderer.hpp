#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "models/face/midline.hpp"
#include "models/face/stage_times.hpp"
#include "models/measure/anatomy.hpp"
#include "models/process/encoder.hpp"
#include "models/process/record.hpp"
#include "models/video/reader.hpp"

namespace vultus {

/// Draws and codes the output videos of one input, behind a short queue on threads of its own. The
/// coded pictures are left in packets (VideoWriter) for `join_mp4`.
class Renderer {
 public:
  struct Options {
    std::string folder;  ///< gets left_mirrored.mp4, right_mirrored.mp4, overlay.mp4
    bool mirror = true;
    bool overlay = true;
    measure::Sides sides = {};
  };
  /// The names of the videos it makes, in the order of a mark's parts.
  static std::vector<std::string> files(const Options& options);
  /// `times` gets the stages "mirror", "overlay" and "encode" and outlives the renderer. With
  /// `lengths`, those of a mark, it goes on from there; mismatch where the packets there are not
  /// those of `frames` frames.
  static Result<std::unique_ptr<Renderer>> create(const Options& options, const VideoInfo& source,
                                                  face::StageTimes* times,
                                                  const std::vector<int64_t>& lengths = {},
                                                  int64_t frames = 0);
  /// Drops what came after the last mark.
  ~Renderer();

  /// False when something has failed; `finish` then tells what.
  bool push(Frame frame, FrameRecord record);
  /// After the `frames` pushed so far: a checkpoint of every video, a part each.
  std::shared_ptr<Mark> mark(int64_t frames);
  /// Waits until all that was pushed is written; tells what has failed. No call may follow.
  Result<void> finish();

 private:
  struct Job {
    Frame frame;
    FrameRecord record;
    std::shared_ptr<Mark> mark;  ///< in place of a frame
  };
  explicit Renderer(face::StageTimes* times) : times_(times) {}
  void work();
  bool render(const Job& job);

  face::StageTimes* times_;
  bool mirror_ = false;
  measure::Sides sides_;
  std::vector<std::unique_ptr<Encoder>> encoders_;  ///< left and right where mirrored, overlay
  BoundedQueue<Job> queue_{1};
  Result<void> failure_;  ///< of drawing; written by the thread, read after it has ended
  std::thread thread_;
};

/// The frame with every face's box, points, midline, and L and R drawn over it.
cv::Mat draw_faces(const cv::Mat& bgr, const FrameRecord& record, const measure::Sides& sides);

}  // namespace vultus
