#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <opencv2/core.hpp>

#include "apps/doctor.hpp"
#include "models/pack/pack.hpp"
#include "models/video/reader.hpp"
#include "models/video/writer.hpp"

namespace vultus::app {

namespace {

namespace fs = std::filesystem;
using State = Finding::State;

std::vector<Finding> examine_pack(const std::string& chosen) {
  auto folder = find_pack(chosen);
  if (!folder) return {{State::failure, "model pack", folder.error().what}};
  auto pack = load_pack(*folder);
  if (!pack) return {{State::failure, "model pack", pack.error().what}};
  std::string roles;
  for (const auto& [role, network] : pack->networks)
    roles += fmt::format("{}{} ({})", roles.empty() ? "" : ", ", role, network.kind);
  std::vector<Finding> findings{{State::fine, "model pack",
                                 fmt::format("{} {} in {}: {}; checksums are right", pack->name,
                                             pack->version, *folder, roles)},
                                {State::fine, "licence", pack->licence}};
  if (const auto found = pack->networks.find("landmarks");
      found != pack->networks.end() && found->second.kind == "ibug68")
    findings.push_back({State::warning, "model pack",
                        "fewer than 98 landmarks: no opening of the eyes, height of the brows and "
                        "closure; vultus convert makes a pack with STAR"});
  if (!pack->networks.contains("multitask"))
    findings.push_back({State::warning, "model pack",
                        "no multitask network: no action units, emotion and gaze; vultus convert "
                        "adds one"});
  return findings;
}

/// Three frames there and back again.
Result<void> round_trip(const std::string& path) {
  VULTUS_TRY(
      VideoWriter writer,
      VideoWriter::create(path, {.size = {64, 48}, .time_base = {1, 30}, .frame_rate = {30, 1}}));
  const cv::Mat frame(48, 64, CV_8UC3, cv::Scalar(30, 120, 200));
  for (int i = 0; i < 3; ++i)
    VULTUS_CHECK(writer.write(frame, i, 1));
  VULTUS_CHECK(writer.finish());
  VULTUS_TRY(VideoReader reader, VideoReader::open(path));
  for (int i = 0; i < 3; ++i) {
    VULTUS_TRY(std::optional<Frame> read, reader.next());
    if (!read) return Error{Errc::mismatch, fmt::format("{} of 3 frames came back", i)};
  }
  return {};
}

Finding examine_video() {
  std::error_code error;
  std::string folder = (fs::temp_directory_path(error) / "vultus-doctor-XXXXXX").string();
  if (error || !mkdtemp(folder.data()))
    return {State::warning, "video", "no temporary folder to try the encoder in (TMPDIR)"};
  auto tried = round_trip(folder + "/clip.mp4");
  fs::remove_all(folder, error);
  if (!tried)
    return {State::failure, "video", "H.264 cannot be written and read: " + tried.error().what};
  return {State::fine, "video", "H.264 is written and read back"};
}

}  // namespace

std::vector<Finding> examine_face_pipeline(const std::string& pack) {
  std::vector<Finding> findings = examine_pack(pack);
  findings.push_back(examine_video());
  return findings;
}

}  // namespace vultus::app
