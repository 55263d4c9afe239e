#include <gtest/gtest.h>

#include "gpu/recording.hpp"
#include "tests/support/gpu.hpp"

namespace vultus::gpu {
namespace {

/// A chain of kernels: input (upload) -> 1 -> 2 -> ... -> count, each buffer of `bytes`.
Recording chain(int count, uint64_t bytes) {
  Recording recording;
  recording.buffers.push_back({.bytes = bytes, .upload = true});
  recording.uploads.push_back({0, 0});
  recording.upload_bytes = bytes;
  for (int i = 1; i <= count; ++i) {
    recording.buffers.push_back({.bytes = bytes});
    recording.dispatches.push_back(
        {-1, "k", {}, {}, {{i - 1, Access::read}, {i, Access::write}}, {1, 1, 1}});
  }
  recording.downloads.push_back({0, {count, Layout::linear, DType::f32, {1}}});
  return recording;
}

TEST(GpuArena, AChainNeedsTwoBlocksWhateverItsLength) {
  auto layout = lay_out(chain(20, 1024), Graph{}, 64);
  ASSERT_TRUE(layout) << layout.error().what;
  EXPECT_EQ(layout->bytes, 2048u);
  EXPECT_EQ(layout->unplanned_bytes, 21u * 1024);
}

TEST(GpuArena, BuffersThatLiveTogetherDoNotOverlap) {
  Recording recording = chain(9, 100);
  // The last kernel also reads the first result: it must survive the whole chain.
  recording.dispatches.back().bindings.push_back({1, Access::read});
  auto layout = lay_out(recording, Graph{}, 256);
  ASSERT_TRUE(layout) << layout.error().what;
  for (size_t i = 2; i <= 9; ++i)
    EXPECT_GE(std::max(layout->offsets[1], layout->offsets[i]) -
                  std::min(layout->offsets[1], layout->offsets[i]),
              256u)
        << i;
  for (uint64_t offset : layout->offsets)
    EXPECT_EQ(offset % 256, 0u);
}

TEST(GpuArena, AnInputThatIsDownloadedSurvives) {
  Recording recording = chain(4, 64);
  recording.downloads.push_back({0, {0, Layout::linear, DType::f32, {1}}});
  auto layout = lay_out(recording, Graph{}, 64);
  ASSERT_TRUE(layout) << layout.error().what;
  for (size_t i = 1; i <= 4; ++i)
    EXPECT_NE(layout->offsets[0], layout->offsets[i]);
}

TEST(GpuArena, ReadingWhatNobodyWroteIsRefused) {
  Recording recording = chain(2, 64);
  std::swap(recording.dispatches[0], recording.dispatches[1]);
  auto layout = lay_out(recording, Graph{}, 64);
  ASSERT_FALSE(layout);
  EXPECT_TRUE(test::contains(layout.error().what, "nothing has written"));
}

TEST(GpuArena, WritingAConstantIsRefused) {
  Recording recording = chain(1, 64);
  recording.buffers[1].constant = true;
  auto layout = lay_out(recording, Graph{}, 64);
  ASSERT_FALSE(layout);
  EXPECT_TRUE(test::contains(layout.error().what, "writes a constant"));
}

TEST(GpuArena, ABufferThatDoesNotExistIsRefused) {
  for (BufferId id : {-1, 7}) {
    Recording recording = chain(1, 64);
    recording.dispatches[0].bindings[1].buffer = id;
    auto layout = lay_out(recording, Graph{}, 64);
    ASSERT_FALSE(layout);
    EXPECT_TRUE(test::contains(layout.error().what, "does not exist"));
  }
}

}  // namespace
}  // namespace vultus::gpu
