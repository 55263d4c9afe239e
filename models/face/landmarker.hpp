#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/ops/faces.hpp"
#include "host/run/session.hpp"
#include "models/face/crop.hpp"
#include "models/face/landmarks.hpp"
#include "models/face/picture.hpp"

namespace vultus::face {

/// The landmark networks that are known, and with them crop, channels and decoding.
enum class LandmarkerKind : uint8_t {
  pfld98,  ///< PFLD, 112x112 RGB, 98 points in 0..1
  star98,  ///< STAR, 256x256 BGR, 98 points in -1..1
  ibug68,  ///< 64x64 grey, 68 points in 0..1
};

/// Measures the points of faces inside a detector's boxes. One thread at a time.
class Landmarker {
 public:
  /// A face in the frame that the picture shows as number `frame`.
  struct Face {
    size_t frame = 0;
    Box box;
  };

  /// Reads the network and checks its input and output against the kind. The devices in `session`
  /// outlive it. One pass holds as many faces as the picture shows frames, where the network's
  /// batch can be changed; else one.
  static Result<std::unique_ptr<Landmarker>> open(
      const std::string& path, LandmarkerKind kind, const SessionOptions& session,
      std::shared_ptr<Picture> picture = std::make_shared<Picture>());

  LandmarkScheme scheme() const;
  /// The square of the frame that the network looks at for this box.
  Square square(const Box& box) const;
  /// Points in frame pixels: for the kinds in 0..1, centre - side/2 + side * (x, y), as their
  /// reference code does; for STAR 128 n + 127.5 in crop pixels, the inverse of its training
  /// labels.
  Result<Landmarks> measure(const cv::Mat& bgr, const Box& box);
  /// The same for faces of the frames that are shown already, in their order. Where they
  /// do not fill the last pass the last face fills it up.
  Result<std::vector<Landmarks>> measure(std::span<const Face> faces);
  Picture& picture() { return *picture_; }
  Transfers transfers() const { return network_.transfers(); }  ///< without pictures

  // For graphs that hold more than this network.
  int64_t batch() const { return network_.batch(); }  ///< faces of a pass
  /// The network for a pass, read anew; its output is the points' numbers.
  Result<NetworkPart> part() const;
  FaceCrops squares() const;  ///< what `square` does
  /// Points in frame pixels of the network's numbers: centre + (v * gain + bias) * side.
  struct Scale {
    double gain, bias;
  };
  Scale scale() const;
  Result<Landmarks> points_of(std::span<const float> values, const Square& square) const;

 private:
  Landmarker(PictureNetwork network, std::string path, LandmarkerKind kind, std::string output,
             SessionOptions options, std::shared_ptr<Picture> picture)
      : network_(std::move(network)),
        file_(std::move(path)),
        options_(std::move(options)),
        kind_(kind),
        output_name_(std::move(output)),
        picture_(std::move(picture)) {}
  Result<void> run_pass(std::span<const Face> faces, std::vector<Landmarks>& found);

  PictureNetwork network_;
  OpenedFile file_;
  SessionOptions options_;
  LandmarkerKind kind_;
  std::string output_name_;
  std::shared_ptr<Picture> picture_;
};

}  // namespace vultus::face
