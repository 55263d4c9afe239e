#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "models/process/process.hpp"
#include "tests/models/test_pack.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus::test {

/// What processes videos of the shared folder with RetinaFace and PFLD into the folder "out".
class ProcessFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    VULTUS_NEED_PACK(options_.pack, root_ / "pack");
    cpu_ = open_cpu(1).value();  // one thread: tests share their machine
    options_.devices = {cpu_.get()};
    options_.out = (root_ / "out").string();
  }

  const TemporaryFolder temporary_;
  const std::filesystem::path root_ = temporary_.path();
  std::unique_ptr<Device> cpu_;
  ProcessOptions options_;
};

}  // namespace vultus::test
