#include "gpu/spirv.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "gpu/kernel.hpp"
#include "tests/support/gpu.hpp"

namespace vultus::gpu {
namespace {

Reflection unary() {
  return reflect(find_spirv("unary.fp16")).value();
}

Dispatch good() {
  return {-1,
          "unary",
          {0, 0},
          std::vector<uint8_t>(12),
          {{0, Access::read}, {1, Access::write}},
          {100, 1, 1}};
}

/// Limits every Vulkan device has at least.
VkPhysicalDeviceLimits limits() {
  VkPhysicalDeviceLimits l{};
  l.maxPushConstantsSize = 128;
  l.maxComputeWorkGroupInvocations = 128;
  for (int i = 0; i < 3; ++i) {
    l.maxComputeWorkGroupCount[i] = 65535;
    l.maxComputeWorkGroupSize[i] = i == 2 ? 64 : 128;
  }
  return l;
}

std::string refusal(const Dispatch& dispatch) {
  auto checked = check_dispatch(dispatch, unary(), limits());
  return checked ? "" : checked.error().what;
}

TEST(Spirv, EveryKernelIsBuiltInForBothStorageTypes) {
  EXPECT_FALSE(find_spirv("relayout.fp16").empty());
  EXPECT_FALSE(find_spirv("relayout.fp32").empty());
  EXPECT_TRUE(find_spirv("relayout").empty());
  EXPECT_TRUE(find_spirv("").empty());
}

TEST(Spirv, ReflectionReadsWhatTheShaderDeclares) {
  Reflection shader = unary();
  ASSERT_EQ(shader.bindings.size(), 2u);
  EXPECT_TRUE(shader.bindings.at(0).readonly);
  EXPECT_FALSE(shader.bindings.at(1).readonly);
  EXPECT_TRUE(shader.bindings.at(1).writeonly);
  EXPECT_EQ(shader.push_bytes, 12u);
  EXPECT_EQ(shader.spec_ids, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(shader.local_size_with({}), (std::array<uint32_t, 3>{64, 1, 1}));
}

// The same block as glslang writes for `layout(local_size_x_id = 3) in`.
TEST(Spirv, ALocalSizeSetByASpecialisationConstantIsFound) {
  const uint32_t words[] = {
      0x07230203, 0x10500, 0,  9,  0, 0x00060010,
      4,          17,      1,  1,  1,      // OpExecutionMode %4 LocalSize 1 1 1
      0x00040047, 7,       1,  3,          // OpDecorate %7 SpecId 3
      0x00040047, 8,       11, 25,         // OpDecorate %8 BuiltIn WorkgroupSize
      0x00040015, 5,       32, 0,          // %5 = OpTypeInt 32 0
      0x00040032, 5,       7,  16,         // %7 = OpSpecConstant %5 16
      0x0004002b, 5,       6,  2,          // %6 = OpConstant %5 2
      0x00060033, 5,       8,  7,  6, 6};  // %8 = OpSpecConstantComposite %7 %6 %6
  auto shader = reflect(words);
  ASSERT_TRUE(shader) << shader.error().what;
  EXPECT_EQ(shader->local_size_with({}), (std::array<uint32_t, 3>{16, 2, 2}));
  const uint32_t spec[] = {0, 0, 0, 32};
  EXPECT_EQ(shader->local_size_with(spec), (std::array<uint32_t, 3>{32, 2, 2}));
}

TEST(Spirv, BrokenWordsAreRefused) {
  EXPECT_FALSE(reflect({}));
  const uint32_t noise[] = {1, 2, 3, 4, 5, 6};
  EXPECT_FALSE(reflect(noise));
  const uint32_t endless[] = {0x07230203, 0x10500, 0, 9, 0, 0x00ff0047, 1};
  EXPECT_FALSE(reflect(endless));
  const uint32_t zero[] = {0x07230203, 0x10500, 0, 9, 0, 0};
  EXPECT_FALSE(reflect(zero));
}

TEST(CheckDispatch, AcceptsWhatTheShaderDeclares) {
  EXPECT_EQ(refusal(good()), "");
}

TEST(CheckDispatch, MissingAndSurplusBindingsAreRefused) {
  Dispatch d = good();
  d.bindings.pop_back();
  EXPECT_TRUE(test::contains(refusal(d), "1 buffers are bound, the shader uses 2"));
  d = good();
  d.bindings.push_back({2, Access::read});
  EXPECT_TRUE(test::contains(refusal(d), "3 buffers"));
}

TEST(CheckDispatch, AccessThatTheShaderDoesNotDeclareIsRefused) {
  Dispatch d = good();
  d.bindings[0].access = Access::write;
  EXPECT_TRUE(test::contains(refusal(d), "declared readonly"));
  d = good();
  d.bindings[1].access = Access::read;
  EXPECT_TRUE(test::contains(refusal(d), "not declared readonly"));
  d.bindings[1].access = Access::read_write;
  EXPECT_TRUE(test::contains(refusal(d), "declared writeonly"));
}

TEST(CheckDispatch, AMissingSpecialisationConstantIsRefused) {
  Dispatch d = good();
  d.spec.pop_back();
  EXPECT_TRUE(test::contains(refusal(d), "specialisation constant 1 is not set"));
}

TEST(CheckDispatch, APushBlockOfAnotherSizeIsRefused) {
  Dispatch d = good();
  d.push.resize(8);
  EXPECT_TRUE(test::contains(refusal(d), "8 bytes of push constants, the shader declares 12"));
  d.push.resize(20);
  EXPECT_TRUE(test::contains(refusal(d), "20 bytes"));
  d.push.resize(16);  // tail padding of the C++ struct
  EXPECT_EQ(refusal(d), "");
}

TEST(CheckDispatch, MoreWorkgroupsThanTheDeviceHasAreRefused) {
  Dispatch d = good();
  d.threads[0] = 64 * 65535;
  EXPECT_EQ(refusal(d), "");
  d.threads[0] += 1;
  EXPECT_TRUE(test::contains(refusal(d), "65536 workgroups on axis 0"));
}

std::vector<uint32_t> capabilities(std::string_view kernel) {
  constexpr uint32_t kOpCapability = 17;
  std::span<const uint32_t> words = find_spirv(kernel);
  std::vector<uint32_t> list;
  for (size_t at = 5; at < words.size() && (words[at] & 0xffffu) == kOpCapability;
       at += words[at] >> 16)
    list.push_back(words[at + 1]);
  return list;
}

// Devices may store halves without computing in them; 16-bit arithmetic is not asked of them. Where
// there are cooperative matrices there is, and choose_cooperative checks.
TEST(Spirv, NoKernelNeedsArithmeticInHalvesExceptOnCooperativeMatrices) {
  constexpr uint32_t kFloat16 = 9, kCooperativeNv = 5357, kCooperativeKhr = 6022;
  ASSERT_FALSE(kernel_names().empty());
  for (std::string_view name : kernel_names()) {
    std::vector<uint32_t> needs = capabilities(name);
    auto has = [&](uint32_t c) { return std::count(needs.begin(), needs.end(), c) > 0; };
    EXPECT_EQ(has(kFloat16), has(kCooperativeNv) || has(kCooperativeKhr)) << name;
    const bool coop = name.starts_with("conv_coop_") && name != "conv_coop_emulated.fp16";
    EXPECT_EQ(coop, has(kFloat16)) << name;
  }
}

}  // namespace
}  // namespace vultus::gpu
