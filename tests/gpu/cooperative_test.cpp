#include "gpu/cooperative.hpp"

#include <gtest/gtest.h>

#include "gpu/device.hpp"
#include "gpu/device_class.hpp"
#include "tests/support/gpu.hpp"

namespace vultus::gpu {
namespace {

const MatrixShape kGood{16, 16, 16, true, true};

/// A card that has everything.
DeviceReport card() {
  DeviceReport r;
  r.type = "discrete";
  r.vendor = 0x10de;
  r.cooperative_khr = r.cooperative_nv = true;
  r.storage16 = r.float16 = r.memory_model = r.subgroup_size_control = true;
  r.subgroup_size = r.min_subgroup_size = r.max_subgroup_size = 32;
  r.cores = 132;
  return r;
}
CooperativeOffer offer() {
  return {{kGood}, {kGood}, true, true};
}

TEST(ChooseCooperative, KhrComesBeforeNv) {
  EXPECT_EQ(choose_cooperative(card(), offer()).kind, Cooperative::khr);
  CooperativeOffer o = offer();
  o.khr.clear();
  EXPECT_EQ(choose_cooperative(card(), o).kind, Cooperative::nv);
  o = offer();
  o.khr_built = false;
  EXPECT_EQ(choose_cooperative(card(), o).kind, Cooperative::nv);
}

TEST(ChooseCooperative, ABuildWithoutTheKernelsSaysSo) {
  CooperativeOffer o = offer();
  o.khr_built = o.nv_built = false;
  CooperativeChoice c = choose_cooperative(card(), o);
  EXPECT_EQ(c.kind, Cooperative::none);
  EXPECT_TRUE(test::contains(c.reason, "this build has no kernels for VK_KHR"));
}

TEST(ChooseCooperative, OnlyProductsOfHalvesWithFloatSumsOnASubgroupFit) {
  for (MatrixShape wrong :
       {MatrixShape{16, 16, 8, true, true}, MatrixShape{8, 16, 16, true, true},
        MatrixShape{16, 16, 16, false, true}, MatrixShape{16, 16, 16, true, false}}) {
    CooperativeOffer o{{wrong}, {wrong}, true, true};
    EXPECT_EQ(choose_cooperative(card(), o).kind, Cooperative::none);
    o.khr.push_back(kGood);
    EXPECT_EQ(choose_cooperative(card(), o).kind, Cooperative::khr);
  }
}

TEST(ChooseCooperative, EmulatedMatricesAreNotUsed) {
  DeviceReport r = card();
  r.vendor = 0x1002;
  EXPECT_TRUE(test::contains(choose_cooperative(r, offer()).reason, "RDNA 3"));
  r.mixed_dot_product = true;
  EXPECT_EQ(choose_cooperative(r, offer()).kind, Cooperative::khr);
  r = card();
  r.vendor = 0x8086;
  r.min_subgroup_size = 8;
  EXPECT_TRUE(test::contains(choose_cooperative(r, offer()).reason, "Xe2"));
  r.min_subgroup_size = 16;
  EXPECT_EQ(choose_cooperative(r, offer()).kind, Cooperative::khr);
  r = card();
  r.type = "software";
  EXPECT_EQ(choose_cooperative(r, offer()).kind, Cooperative::none);
}

TEST(ChooseCooperative, WhatTheKernelsNeedBesidesIsAskedFor) {
  for (bool DeviceReport::*feature :
       {&DeviceReport::float16, &DeviceReport::storage16, &DeviceReport::memory_model,
        &DeviceReport::subgroup_size_control}) {
    DeviceReport r = card();
    r.*feature = false;
    EXPECT_EQ(choose_cooperative(r, offer()).kind, Cooperative::none);
    EXPECT_FALSE(choose_cooperative(r, offer()).reason.empty());
  }
}

TEST(Classify, BySortOfDeviceAndWhatTheDriverTells) {
  DeviceClass c = classify(card());
  EXPECT_EQ(c.tier, DeviceTier::large);
  EXPECT_EQ(c.cores, 132u);
  EXPECT_TRUE(c.staging);

  DeviceReport r = card();
  r.cores = 0;
  EXPECT_EQ(classify(r).cores, 32u);
  EXPECT_TRUE(test::contains(classify(r).reason, "32 cores assumed"));
  r.type = "integrated";
  EXPECT_EQ(classify(r).tier, DeviceTier::small);
  EXPECT_EQ(classify(r).cores, 8u);
  EXPECT_TRUE(classify(r).staging);
  r.vendor = 0x13b5;
  EXPECT_FALSE(classify(r).staging);
  r.type = "software";
  EXPECT_EQ(classify(r).tier, DeviceTier::software);
  EXPECT_FALSE(classify(r).staging);
}

TEST(ForceConvolutions, WhatTheDeviceCannotDoIsRefusedWithAReason) {
  VULTUS_NEED_GPU(device);
  auto coop = force_convolutions(device, {ConvFamily::coop});
  EXPECT_TRUE(coop || test::contains(coop.error().what, "cooperative-matrix convolutions"));
  auto depthwise = force_convolutions(device, {ConvFamily::depthwise});
  ASSERT_FALSE(depthwise);
  EXPECT_EQ(depthwise.error().code, Errc::usage);
  EXPECT_FALSE(force_convolutions(device, {ConvFamily::tile, 99}));
  EXPECT_FALSE(force_convolutions(device, {ConvFamily::tile, 0, 3}));
  EXPECT_TRUE(force_convolutions(device, {}));
}

}  // namespace
}  // namespace vultus::gpu
