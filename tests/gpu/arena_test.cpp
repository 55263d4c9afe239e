#include <gtest/gtest.h>

#include <algorithm>

#include "gpu/hazards.hpp"
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
  schedule(recording);
  return recording;
}

TEST(GpuArena, AChainNeedsTwoBlocksWhateverItsLength) {
  ArenaLayout layout = lay_out(chain(20, 1024), 64);
  EXPECT_EQ(layout.bytes, 2048u);
  EXPECT_EQ(layout.unplanned_bytes, 21u * 1024);
}

TEST(GpuArena, BuffersThatLiveTogetherDoNotOverlap) {
  Recording recording = chain(9, 100);
  // The last kernel also reads the first result: it must survive the whole chain.
  recording.dispatches.back().bindings.push_back({1, Access::read});
  ArenaLayout layout = lay_out(recording, 256);
  for (size_t i = 2; i <= 9; ++i)
    EXPECT_GE(std::max(layout.offsets[1], layout.offsets[i]) -
                  std::min(layout.offsets[1], layout.offsets[i]),
              256u)
        << i;
  for (uint64_t offset : layout.offsets)
    EXPECT_EQ(offset % 256, 0u);
}

TEST(GpuArena, TheMapNamesEveryBlockWhereAndWhenItLives) {
  Recording recording = chain(3, 1024);
  recording.buffers[0].name = "x";
  recording.buffers[3].name = "y";
  const ArenaLayout layout = lay_out(recording, 64);
  ASSERT_EQ(layout.blocks.size(), 4u);
  EXPECT_TRUE(std::ranges::is_sorted(layout.blocks, {}, &MemoryBlock::offset));
  const auto x = std::ranges::find(layout.blocks, "x", &MemoryBlock::name);
  const auto y = std::ranges::find(layout.blocks, "y", &MemoryBlock::name);
  ASSERT_TRUE(x != layout.blocks.end() && y != layout.blocks.end());
  EXPECT_EQ(x->first, 0);
  EXPECT_EQ(x->last, recording.steps[0]);
  EXPECT_EQ(y->first, recording.steps[2]);
  EXPECT_EQ(y->last, recording.steps[2] + 1);
  EXPECT_EQ(static_cast<uint64_t>(y->offset), layout.offsets[3]);
}

TEST(GpuArena, AnInputThatIsDownloadedSurvives) {
  Recording recording = chain(4, 64);
  recording.downloads.push_back({0, {0, Layout::linear, DType::f32, {1}}});
  ArenaLayout layout = lay_out(recording, 64);
  for (size_t i = 1; i <= 4; ++i)
    EXPECT_NE(layout.offsets[0], layout.offsets[i]);
}

Dispatch kernel(std::initializer_list<BufferId> reads, BufferId write) {
  Dispatch dispatch{-1, "k", {}, {}, {}, {1, 1, 1}};
  for (BufferId id : reads)
    dispatch.bindings.push_back({id, Access::read});
  dispatch.bindings.push_back({write, Access::write});
  return dispatch;
}

/// 0 -> 1 -> 2 -> 3 and 0 -> 4 -> 5, joined into 6; written one branch after the other.
Recording branches() {
  Recording recording;
  recording.buffers.assign(7, {.bytes = 64});
  recording.buffers[0].upload = true;
  recording.upload_bytes = 64;
  recording.dispatches = {kernel({0}, 1), kernel({1}, 2), kernel({2}, 3),
                          kernel({0}, 4), kernel({4}, 5), kernel({3, 5}, 6)};
  recording.downloads.push_back({0, {6, Layout::linear, DType::f32, {1}}});
  return recording;
}

TEST(GpuSchedule, IndependentBranchesShareSteps) {
  Recording recording = branches();
  schedule(recording);
  EXPECT_EQ(recording.steps, (std::vector<int>{1, 1, 2, 2, 3, 4}));
  EXPECT_EQ(recording.dispatches[1].bindings[1].buffer, 4);
  EXPECT_EQ(recording.dispatches[5].bindings[2].buffer, 6);
}

TEST(GpuSchedule, MemoryIsNotReusedWithinAStep) {
  Recording recording = branches();
  schedule(recording);
  ArenaLayout layout = lay_out(recording, 64);
  HazardTracker hazards;
  for (size_t i = 0; i < recording.dispatches.size(); ++i) {
    std::vector<Range> reads, writes;
    for (const Binding& b : recording.dispatches[i].bindings) {
      uint64_t at = layout.offsets[static_cast<size_t>(b.buffer)];
      (b.access == Access::read ? reads : writes).push_back({0, at, at + 64});
    }
    bool new_step = i > 0 && recording.steps[i] != recording.steps[i - 1];
    EXPECT_EQ(hazards.access(reads, writes), new_step) << i;
  }
}

TEST(GpuSchedule, AWriterWaitsForTheReadersOfWhatItOverwrites) {
  Recording recording;
  recording.buffers.assign(4, {.bytes = 64});
  recording.buffers[0].upload = true;
  // 1 is temporary memory, used twice.
  recording.dispatches = {kernel({0}, 1), kernel({1}, 2), kernel({0}, 1), kernel({1}, 3)};
  schedule(recording);
  EXPECT_EQ(recording.steps, (std::vector<int>{1, 2, 3, 4}));
}

TEST(GpuSchedule, WritersOfOtherPartsShareAStepAndReadersOfThemAllWait) {
  Recording recording;
  recording.buffers.assign(4, {.bytes = 64});
  recording.buffers[0].upload = true;
  recording.dispatches = {kernel({0}, 1), kernel({0}, 1), kernel({0}, 1), kernel({1}, 2),
                          kernel({0}, 1)};
  recording.dispatches[0].bindings[1].part = {64, 0, 16};
  recording.dispatches[1].bindings[1].part = {64, 16, 48};
  recording.dispatches[2].bindings[1].part = {64, 32, 64};  // meets the second
  recording.dispatches[4].bindings[1].part = {64, 0, 16};   // after the reader
  schedule(recording);
  EXPECT_EQ(recording.steps, (std::vector<int>{1, 1, 2, 3, 4}));
}

TEST(GpuArena, ReadingWhatNobodyWroteIsRefused) {
  Recording recording = chain(2, 64);
  std::swap(recording.dispatches[0], recording.dispatches[1]);
  auto checked = check_accesses(recording, Graph{});
  ASSERT_FALSE(checked);
  EXPECT_TRUE(test::contains(checked.error().what, "nothing has written"));
}

TEST(GpuArena, WritingAConstantIsRefused) {
  Recording recording = chain(1, 64);
  recording.buffers[1].constant = true;
  auto checked = check_accesses(recording, Graph{});
  ASSERT_FALSE(checked);
  EXPECT_TRUE(test::contains(checked.error().what, "writes a constant"));
}

TEST(GpuArena, ABufferThatDoesNotExistIsRefused) {
  for (BufferId id : {-1, 7}) {
    Recording recording = chain(1, 64);
    recording.dispatches[0].bindings[1].buffer = id;
    auto checked = check_accesses(recording, Graph{});
    ASSERT_FALSE(checked);
    EXPECT_TRUE(test::contains(checked.error().what, "does not exist"));
  }
}

}  // namespace
}  // namespace vultus::gpu
