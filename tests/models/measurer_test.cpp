// Records of a batch of frames against the frames one by one.
#include "models/process/measurer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>

#include "host/run/device.hpp"
#include "tests/models/test_pack.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

std::vector<Frame> first_frames(const std::string& clip, size_t count) {
  VideoReader reader = VideoReader::open(test::shared("media/" + clip)).value();
  std::vector<Frame> frames;
  while (frames.size() < count)
    frames.push_back(reader.next().value().value());
  return frames;
}

TEST(Measurer, DamagedFramesAreInTheBatchWithoutFaces) {
  const test::TemporaryFolder folder;
  std::string path;
  VULTUS_NEED_PACK(path, std::filesystem::path(folder.path()) / "pack");
  const Pack pack = load_pack(path).value();
  auto cpu = open_cpu(1).value();
  const SessionOptions session{{cpu.get()}, Precision::fp32, {}};
  Networks together = Networks::open(pack, session, 4).value();
  Networks alone = Networks::open(pack, session).value();
  const face::TrackerOptions options{.search_every = 3, .all_faces = true};
  Measurer batches(together, options, nullptr), one_by_one(alone, options, nullptr);
  std::vector<Frame> frames = first_frames("intel_head_pose_two_faces.mp4", 9);
  for (size_t damaged : {0u, 2u, 3u, 8u})
    frames[damaged].damaged = true;
  EXPECT_EQ(batches.frames_at_once(frames[0].bgr.size()), 4u);
  EXPECT_EQ(one_by_one.frames_at_once(frames[0].bgr.size()), 1u);
  const std::span<const Frame> all(frames);
  std::vector<FrameRecord> records;
  for (size_t first : {0u, 4u, 8u}) {  // the last batch is a damaged frame alone
    auto next = batches.push(all.subspan(first, std::min<size_t>(4, all.size() - first))).value();
    std::ranges::move(next, std::back_inserter(records));
  }
  ASSERT_EQ(records.size(), frames.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    SCOPED_TRACE(i);
    const FrameRecord expected = one_by_one.push(all.subspan(i, 1)).value().front();
    EXPECT_EQ(records[i].frame, expected.frame);
    EXPECT_EQ(records[i].seconds, expected.seconds);
    EXPECT_EQ(records[i].damaged, frames[i].damaged);
    ASSERT_EQ(records[i].faces.size(), expected.faces.size());
    EXPECT_EQ(records[i].faces.size(), frames[i].damaged ? 0u : 2u);
    for (size_t k = 0; k < expected.faces.size(); ++k) {
      const face::TrackedFace &face = records[i].faces[k].face, &wanted = expected.faces[k].face;
      EXPECT_EQ(face.id, wanted.id);
      EXPECT_EQ(face.box.x1, wanted.box.x1);
      for (size_t p = 0; p < 98; ++p)
        EXPECT_LT(cv::norm(face.landmarks[p] - wanted.landmarks[p]), 0.01);
    }
  }
  EXPECT_EQ(batches.most_faces(), one_by_one.most_faces());
}

}  // namespace
}  // namespace vultus
