#include <gtest/gtest.h>

#include "gpu/device.hpp"
#include "gpu/instance.hpp"
#include "gpu/memory.hpp"
#include "tests/support/gpu.hpp"

namespace vultus::gpu {
namespace {

/// A machine that nobody has: one device of each kind.
std::vector<DeviceReport> machine() {
  std::vector<DeviceReport> reports(4);
  const char* types[] = {"software", "integrated", "discrete", "discrete"};
  const char* names[] = {"llvmpipe", "Iris Xe", "Radeon 9", "GeForce 7"};
  for (int i = 0; i < 4; ++i) {
    auto& r = reports[static_cast<size_t>(i)];
    r.index = i;
    r.type = types[i];
    r.name = names[i];
    r.uuid = std::string(8, static_cast<char>('a' + i)) + "-0000";
  }
  return reports;
}

TEST(ChooseDevice, TheFirstDiscreteOneWins) {
  EXPECT_EQ(choose_device(machine(), {}).value(), 2);
}

TEST(ChooseDevice, AnIntegratedOneServesWhereThereIsNoOther) {
  auto reports = machine();
  reports[2].refusal = reports[3].refusal = "too old";
  EXPECT_EQ(choose_device(reports, {}).value(), 1);
}

TEST(ChooseDevice, SoftwareIsOnlyChosenWhenAllowed) {
  auto reports = machine();
  reports.resize(1);
  auto refused = choose_device(reports, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::no_device);
  EXPECT_TRUE(test::contains(refused.error().what, "only when asked for"));
  EXPECT_EQ(choose_device(reports, {.allow_software = true}).value(), 0);
  EXPECT_EQ(choose_device(reports, {.selector = "LLVM"}).value(), 0);
}

TEST(ChooseDevice, AllowingSoftwareDoesNotPreferIt) {
  EXPECT_EQ(choose_device(machine(), {.allow_software = true}).value(), 2);
}

TEST(ChooseDevice, SelectsByIndexNameAndUuid) {
  EXPECT_EQ(choose_device(machine(), {.selector = "1"}).value(), 1);
  EXPECT_EQ(choose_device(machine(), {.selector = "geforce"}).value(), 3);
  EXPECT_EQ(choose_device(machine(), {.selector = "CCCCCCCC-"}).value(), 2);
}

TEST(ChooseDevice, ANumberIsAnIndexBeforeItIsPartOfAName) {
  auto reports = machine();
  reports[0].name = "GeForce 2080";
  EXPECT_EQ(choose_device(reports, {.selector = "2"}).value(), 2);
  EXPECT_EQ(choose_device(reports, {.selector = "2080"}).value(), 0);
}

TEST(ChooseDevice, AnUnusableChoiceSaysWhy) {
  auto reports = machine();
  reports[1].refusal = "Vulkan 1.1 is too old";
  auto refused = choose_device(reports, {.selector = "iris"});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(test::contains(refused.error().what, "Vulkan 1.1 is too old"));
}

TEST(ChooseDevice, AnUnknownNameListsWhatThereIs) {
  auto refused = choose_device(machine(), {.selector = "voodoo"});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(test::contains(refused.error().what, "3 'GeForce 7'"));
}

TEST(ComputeFamily, PrefersComputeWithoutGraphicsAndTimestamps) {
  VkQueueFamilyProperties graphics{VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT, 16, 64, {}};
  VkQueueFamilyProperties transfer{VK_QUEUE_TRANSFER_BIT, 2, 64, {}};
  VkQueueFamilyProperties compute{VK_QUEUE_COMPUTE_BIT, 8, 64, {}};
  VkQueueFamilyProperties blind{VK_QUEUE_COMPUTE_BIT, 8, 0, {}};
  EXPECT_EQ(compute_family({graphics, transfer, compute}), 2);
  EXPECT_EQ(compute_family({graphics, transfer, blind}), 0);
  EXPECT_EQ(compute_family({transfer, blind}), 1);
  EXPECT_EQ(compute_family({transfer}), -1);
  EXPECT_EQ(compute_family({}), -1);
}

VkPhysicalDeviceMemoryProperties types(const std::vector<VkMemoryPropertyFlags>& flags) {
  VkPhysicalDeviceMemoryProperties memory{};
  memory.memoryTypeCount = static_cast<uint32_t>(flags.size());
  for (size_t i = 0; i < flags.size(); ++i)
    memory.memoryTypes[i].propertyFlags = flags[i];
  return memory;
}
constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
constexpr VkMemoryPropertyFlags kVisible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT;
constexpr VkMemoryPropertyFlags kCoherent = VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

TEST(MemoryTypes, OfADiscreteCardWithABarWindow) {
  auto memory = types({0, kLocal, kVisible | kCoherent, kVisible | kCoherent | kCached,
                       kLocal | kVisible | kCoherent});
  EXPECT_EQ(memory_types(memory, ~0u, MemoryUse::device)[0], 1u);
  EXPECT_EQ(memory_types(memory, ~0u, MemoryUse::staging), (std::vector<uint32_t>{2, 3, 4}));
  EXPECT_EQ(memory_types(memory, ~0u, MemoryUse::readback), (std::vector<uint32_t>{3, 2, 4}));
}

TEST(MemoryTypes, OfAnIntegratedGpuWithOneHeap) {
  auto memory = types({kLocal, kLocal | kVisible | kCoherent, kLocal | kVisible | kCached});
  EXPECT_EQ(memory_types(memory, ~0u, MemoryUse::device)[0], 0u);
  EXPECT_EQ(memory_types(memory, ~0u, MemoryUse::staging)[0], 1u);
  EXPECT_EQ(memory_types(memory, ~0u, MemoryUse::readback)[0], 2u);
}

TEST(MemoryTypes, OnlyThoseThatTheBufferAllows) {
  auto memory = types({kLocal, kLocal, kVisible | kCoherent});
  EXPECT_EQ(memory_types(memory, 0b110u, MemoryUse::device), (std::vector<uint32_t>{1, 2}));
  EXPECT_TRUE(memory_types(memory, 0b011u, MemoryUse::staging).empty());
}

TEST(MemoryTypes, LazyAndProtectedMemoryIsNeverUsed) {
  auto memory = types({kLocal | VK_MEMORY_PROPERTY_LAZILY_ALLOCATED_BIT,
                       kLocal | VK_MEMORY_PROPERTY_PROTECTED_BIT,
                       kLocal | VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD, kLocal});
  EXPECT_EQ(memory_types(memory, ~0u, MemoryUse::device), (std::vector<uint32_t>{3}));
}

std::vector<VkQueueFamilyProperties> families(std::vector<VkQueueFlags> flags) {
  std::vector<VkQueueFamilyProperties> list;
  for (VkQueueFlags f : flags) {
    list.emplace_back().queueFlags = f;
    list.back().queueCount = 1;
  }
  return list;
}

TEST(QueueFamilies, CopiesGoToTheFamilyThatDoesNothingElse) {
  constexpr VkQueueFlags kAll =
      VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
  constexpr VkQueueFlags kCompute = VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
  constexpr VkQueueFlags kVideo = VK_QUEUE_TRANSFER_BIT | 0x20;
  constexpr VkQueueFlags kCopy = VK_QUEUE_TRANSFER_BIT | VK_QUEUE_SPARSE_BINDING_BIT;
  EXPECT_EQ(copy_family(families({kAll, kVideo, kCopy, kCompute})), 2);
  EXPECT_EQ(copy_family(families({kAll, kCompute})), -1);
}

}  // namespace
}  // namespace vultus::gpu
