#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/run/session.hpp"
#include "models/face/expression.hpp"
#include "models/face/landmarks.hpp"
#include "models/face/midline.hpp"
#include "models/face/picture.hpp"

namespace vultus::face {

/// Of a face as it is and of the faces made of its left and right half.
struct Expressions {
  Expression whole;
  std::optional<Expression> left, right;  ///< nothing without a midline
};

/// The network for action units, emotion and gaze (OpenFace 3.0's MTL): RGB 224x224 as ImageNet
/// networks take it, the face's box stretched to a square. One thread at a time.
class Multitask {
 public:
  /// A face in the frame that the picture shows as number `frame`; `box` in its pixels, corners
  /// truncated and cut off at the border.
  struct Face {
    size_t frame = 0;
    Box box;
    std::optional<Midline> midline;
  };

  /// Reads the network and checks what it takes and gives: bad_model. The devices in `session`
  /// outlive it. One pass holds all three pictures of as many faces as `picture` shows frames,
  /// where the network's batch can be changed; else one picture.
  static Result<std::unique_ptr<Multitask>> open(
      const std::string& path, const SessionOptions& session,
      std::shared_ptr<Picture> picture = std::make_shared<Picture>());

  /// `bgr` 8UC3. Nothing when nothing of the box lies in it.
  Result<std::optional<Expressions>> measure(const cv::Mat& bgr, const Box& box,
                                             const std::optional<Midline>& midline);
  /// The same for faces of the frames that are shown already, in their order. The last
  /// pass costs the same where they do not fill it.
  Result<std::vector<std::optional<Expressions>>> measure(std::span<const Face> faces);
  Transfers transfers() const;  ///< without pictures

  // For graphs that hold more than this network.
  bool on_gpu() const { return crops_.has_value(); }  ///< with its crops
  size_t batch() const { return batch_; }             ///< pictures of a pass
  /// The network for a pass, read anew; its outputs are emotion, gaze and au.
  Result<NetworkPart> part() const;

 private:
  /// A face and the part of its frame that the network sees.
  struct Seen {
    const Face* face;
    cv::Rect area;
  };
  Multitask(int64_t batch, std::shared_ptr<Picture> picture);
  Result<void> load(Graph graph, const std::string& path, SessionOptions options);
  Result<void> run_faces(std::span<const Seen> faces);
  void place_crops(std::span<const Seen> faces);
  void write_faces(std::span<const Seen> faces);
  Result<void> run_pass(size_t first);
  Result<void> take_results(size_t first);

  std::shared_ptr<Picture> picture_;
  std::optional<PictureNetwork> crops_;  ///< where a GPU crops and mirrors; else
  std::optional<Session> session_;       ///< the network alone: the CPU mirrors whole rows faster
  std::optional<OpenedFile> file_;
  SessionOptions options_;
  std::string input_name_, emotion_, gaze_, action_units_;
  size_t batch_;  ///< of a pass: all three pictures of every face at once, or 1
  std::vector<CropRectangle> rectangles_;
  std::vector<MirrorLine> lines_;
  Tensor planes_;                    ///< of the faces at once: [3 * faces, 3, 224, 224]
  std::vector<Expression> results_;  ///< as many
};

/// Of a picture's 8 logits of emotions, 2 angles of gaze and 8 action units; an error where one is
/// not finite.
Result<Expression> expression_of(std::span<const float> emotion, std::span<const float> gaze,
                                 std::span<const float> action_units);
/// The part of the picture that the network sees for `box`: corners truncated, inside the picture.
cv::Rect expression_area(const Box& box, cv::Size picture);
/// What the network sees of an 8UC3 part of a picture: 224x224, averaged along an axis that shrinks
/// (an antialiased resize, as in its training), bilinear along one that grows: what CropWarp does.
cv::Mat expression_face(const cv::Mat& bgr);

}  // namespace vultus::face
