#include "gpu/device.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "gpu/commands.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/support.hpp"

namespace vultus::gpu {
namespace {

TEST(GpuDevice, EveryDeviceIsListedWithWhatItCanDo) {
  VULTUS_NEED_GPU(device);
  auto reports = list_devices();
  ASSERT_TRUE(reports) << reports.error().what;
  ASSERT_FALSE(reports->empty());
  bool found = false;
  for (size_t i = 0; i < reports->size(); ++i) {
    const DeviceReport& r = (*reports)[i];
    EXPECT_EQ(r.index, static_cast<int>(i));
    EXPECT_EQ(r.uuid.size(), 36u);
    EXPECT_FALSE(r.name.empty() || r.driver.empty() || r.api.empty() || r.type.empty());
    EXPECT_GT(r.memory_bytes, 0u);
    EXPECT_GE(r.max_storage_range, 1u << 27);
    found = found || r.uuid == device.info().uuid;
  }
  EXPECT_TRUE(found);
}

TEST(GpuDevice, SaysWhatItIs) {
  VULTUS_NEED_GPU(device);
  EXPECT_EQ(device.info().kind, DeviceKind::gpu);
  EXPECT_FALSE(device.info().driver.empty());
}

TEST(GpuDevice, SoftwareIsNotOpenedUnasked) {
  VULTUS_NEED_GPU(device);
  if (!device.info().software) GTEST_SKIP() << "needs a machine with nothing but a software device";
  auto reports = list_devices();
  ASSERT_TRUE(reports);
  if (reports->size() > 1) GTEST_SKIP() << "needs a machine with nothing but a software device";
  auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::no_device);
}

TEST(GpuDevice, AnUnknownSelectorIsRefusedWithAList) {
  VULTUS_NEED_GPU(device);
  auto opened = open({.selector = "no such card"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::no_device);
  EXPECT_TRUE(test::contains(opened.error().what, device.info().name));
}

TEST(GpuDevice, AMistakeReachesTheValidationMessages) {
  VULTUS_NEED_GPU(device);
  ASSERT_EQ(validated(device), validation_available());
  if (!validated(device)) GTEST_SKIP() << "the validation layer is not installed";
  auto context = Context::create({.selector = device.info().name, .validation = true});
  ASSERT_TRUE(context) << context.error().what;
  auto ran = run_once(**context, [&](VkCommandBuffer commands) {
    // The transfer stage writes no shader's memory; drivers do not mind.
    memory_barrier((*context)->vk(), commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                   VK_ACCESS_SHADER_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                   VK_ACCESS_TRANSFER_READ_BIT);
  });
  EXPECT_TRUE(ran) << ran.error().what;
  MessageLog& log = (*context)->instance().log();
  ASSERT_FALSE(log.texts.empty());
  EXPECT_TRUE(test::contains(log.texts[0], "VK_ACCESS_SHADER_WRITE_BIT"));
}

/// In a process of its own, which prints what `open` says, with an environment in which no driver
/// is found.
TEST(GpuDeviceDeathTest, WithoutADriverTheErrorSaysWhatToInstall) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        setenv("VK_DRIVER_FILES", "/nonexistent", 1);
        setenv("VK_ICD_FILENAMES", "/nonexistent", 1);
        auto opened = open({.allow_software = true});
        auto listed = list_devices();
        bool good = !opened && opened.error().code == Errc::no_device && !listed &&
                    test::contains(opened.error().what, "install");
        if (!opened) fprintf(stderr, "%s\n", opened.error().what.c_str());
        _exit(good ? 0 : 1);
      },
      testing::ExitedWithCode(0), "install");
}

TEST(GpuDeviceDeathTest, AValidationWishInTheEnvironmentIsFollowed) {
  if (!list_devices() || !validation_available())
    GTEST_SKIP() << "no device, or no validation layer";
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        setenv("VULTUS_VALIDATION", "1", 1);
        auto opened = open({.allow_software = true, .cache_folder = std::string("-")});
        _exit(opened && validated(**opened) ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace vultus::gpu
