#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "gpu/device.hpp"

namespace vultus::test {

/// Lets the leak check tell the driver's and the layer's leaks from ours; whether it had to.
bool keep_vulkan_libraries();
inline const bool kVulkanLibrariesKept = keep_vulkan_libraries();

inline ::testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << part << "' is not in '" << text << "'";
}

/// Fails the running test with every message of the validation layer.
class ValidationListener : public ::testing::EmptyTestEventListener {
 public:
  explicit ValidationListener(Device& device) : device_(device) {}
  void OnTestEnd(const ::testing::TestInfo&) override {
    for (const std::string& message : gpu::take_validation_messages(device_))
      ADD_FAILURE() << message;
  }

 private:
  Device& device_;
};

/// The device that GPU tests run on: lavapipe, or what VULTUS_TEST_DEVICE selects. Opened once a
/// process, validated where the layer is installed, with poisoned memory. An error is kept.
inline Result<std::unique_ptr<Device>>& opened_gpu() {
  static Result<std::unique_ptr<Device>> device = [] {
    const char* selector = std::getenv("VULTUS_TEST_DEVICE");
    gpu::OpenOptions options;
    options.selector = selector ? selector : "llvmpipe";
    options.validation = gpu::validation_available();
    options.poison = true;
    options.cache_folder = std::string("-");
    auto opened = gpu::open(options);
    if (opened)
      ::testing::UnitTest::GetInstance()->listeners().Append(new ValidationListener(**opened));
    return opened;
  }();
  return device;
}

/// `VULTUS_NEED_GPU(device)`: declares `Device& device`, or skips the test (fails it where CI is
/// set).
#define VULTUS_NEED_GPU(variable)                                               \
  if (!::vultus::test::opened_gpu()) {                                          \
    if (std::getenv("CI")) FAIL() << ::vultus::test::opened_gpu().error().what; \
    GTEST_SKIP() << ::vultus::test::opened_gpu().error().what;                  \
  }                                                                             \
  ::vultus::Device& variable = **::vultus::test::opened_gpu()

}  // namespace vultus::test
