// Kills while finished results are replaced by others.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <utility>

#include "models/process/outlook.hpp"
#include "models/process/output_folder.hpp"
#include "tests/models/process_fixture.hpp"
#include "tests/models/results.hpp"

namespace {

namespace fs = std::filesystem;

/// Called before a name is changed.
std::function<void(const fs::path&)> before_change;

void tell(const char* path) {
  if (!before_change) return;
  const auto hook = std::exchange(before_change, {});
  hook(path);
  before_change = hook;
}

}  // namespace

// Instead of the C library's, also for std::filesystem.
extern "C" int rename(const char* from, const char* to) noexcept {
  tell(from);
  return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
extern "C" int remove(const char* path) noexcept {
  tell(path);
  if (unlinkat(AT_FDCWD, path, 0) == 0) return 0;
  return errno == EISDIR ? unlinkat(AT_FDCWD, path, AT_REMOVEDIR) : -1;
}

namespace vultus {
namespace {

using test::contents;
using test::expect_same;

class Replacing : public test::ProcessFixture {
 protected:
  void SetUp() override {
    ProcessFixture::SetUp();
    other_ = options_;
    other_.baseline = {measure::BaselineChoice::Kind::range, 0.2, 0.9};
    other_.openface = true;
  }
  void TearDown() override { before_change = {}; }
  Result<Summary> run(const ProcessOptions& options) const {
    return process_input(test::shared("media/vfr.mp4"), options);
  }
  test::Files fresh(ProcessOptions options) const {
    options.out = (root_ / "fresh").string();
    auto summary = run(options);
    EXPECT_TRUE(summary) << summary.error().what;
    return contents(root_ / "fresh" / "vfr");
  }
  Outlook::Action ahead(const ProcessOptions& options) const {
    const Pack pack = load_pack(options.pack).value();
    return look_ahead(options, pack, test::shared("media/vfr.mp4"), "vfr").value().action;
  }
  fs::path moment(int number) const { return root_ / ("moment" + std::to_string(number)); }
  /// Remakes the results; returns how many moments were kept of what lay on the disk from the
  /// first change of a finished file on.
  int remake_and_keep_moments() {
    int moments = 0;
    const fs::path finished = root_ / "out" / "vfr";
    before_change = [&](const fs::path& path) {
      const bool replacing = path.filename() == ".replacing" || path.parent_path() == finished;
      if ((moments == 0 && !replacing) || !fs::exists(path)) return;
      fs::copy(root_ / "out", moment(moments++), fs::copy_options::recursive);
    };
    auto remade = run(other_);
    before_change = {};
    EXPECT_TRUE(remade) << remade.error().what;
    return moments;
  }
  void restore(int number) const {
    fs::remove_all(root_ / "out");
    fs::copy(moment(number), root_ / "out", fs::copy_options::recursive);
  }

  ProcessOptions other_;
};

TEST_F(Replacing, KilledAtAnyMomentTheSameCommandGoesOn) {
  const test::Files expected = fresh(other_);
  ASSERT_TRUE(run(options_));
  const int moments = remake_and_keep_moments();
  ASSERT_GT(moments, 15);
  for (int number = 0; number < moments; ++number) {
    SCOPED_TRACE(number);
    restore(number);
    const Outlook::Action action = ahead(other_);
    EXPECT_TRUE(action == Outlook::Action::remake || action == Outlook::Action::skip);
    auto summary = run(other_);
    ASSERT_TRUE(summary) << summary.error().what;
    EXPECT_EQ(summary->skipped, action == Outlook::Action::skip);
    expect_same(contents(root_ / "out" / "vfr"), expected);
    EXPECT_FALSE(fs::exists(root_ / "out" / ".vfr.vultus-partial"));
  }
}

TEST_F(Replacing, KilledInTheMiddleAnotherCommandGoesOnAsWell) {
  const test::Files expected = fresh(options_);
  ASSERT_TRUE(run(options_));
  const int moments = remake_and_keep_moments();
  restore(moments / 2);
  auto summary = run(options_);
  ASSERT_TRUE(summary) << summary.error().what;
  expect_same(contents(root_ / "out" / "vfr"), expected);
}

TEST_F(Replacing, ResultsThatWereRemovedAfterAKillAreMadeAnew) {
  const test::Files expected = fresh(other_);
  ASSERT_TRUE(run(options_));
  const int moments = remake_and_keep_moments();
  restore(moments / 2);
  fs::remove_all(root_ / "out" / "vfr");
  auto summary = run(other_);
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_EQ(summary->resumed_at, 0);
  expect_same(contents(root_ / "out" / "vfr"), expected);
}

TEST_F(Replacing, WhatCannotBeReplacedIsKeptUntilItCan) {
  const test::Files expected = fresh(other_);
  ASSERT_TRUE(run(options_));
  const fs::path obstacle = root_ / "out" / "vfr" / "openface.csv";
  fs::create_directories(obstacle / "full");
  for (int i = 0; i < 2; ++i) {
    auto failed = run(other_);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::unwritable);
    EXPECT_NE(failed.error().what.find("openface.csv"), std::string::npos) << failed.error().what;
  }
  fs::remove_all(obstacle);
  EXPECT_TRUE(run(other_)->skipped);
  expect_same(contents(root_ / "out" / "vfr"), expected);
}

}  // namespace
}  // namespace vultus
