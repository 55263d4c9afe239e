// Checkpoints that are not what they seem: the sentence names the keys at fault.
#include <filesystem>
#include <limits>

#include "models/convert/convert.hpp"
#include "tests/convert/run_network.hpp"
#include "tests/support/torch_file.hpp"

namespace vultus::test {
namespace {

using State = std::map<std::string, Tensor>;

/// The published checkpoint, to be spoiled.
class SpoiledCheckpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    VULTUS_NEED_SHARED(path, "models/retinaface_mnet025.pth");
    state_ = read_torch_file(path);
    ASSERT_EQ(state_.size(), 300U);
    path_ = testing::TempDir() + "vultus-spoiled.pth";
  }
  void TearDown() override { std::filesystem::remove(path_); }

  Result<convert::Converted> convert(const std::string& where = "",
                                     const std::vector<std::string>& ignored = {}) {
    write_torch_file(path_, state_, where);
    return convert::convert_checkpoint(path_, ignored);
  }
  void expect_refused(const std::vector<std::string>& parts) {
    auto converted = convert();
    ASSERT_FALSE(converted);
    EXPECT_EQ(converted.error().code, Errc::bad_model);
    EXPECT_TRUE(converted.error().what.starts_with(path_ + ": ")) << converted.error().what;
    for (const std::string& part : parts)
      EXPECT_NE(converted.error().what.find(part), std::string::npos) << converted.error().what;
  }

  State state_;
  std::string path_;
};

TEST_F(SpoiledCheckpoint, UnspoiledItGivesTheSameFileWhateverIsAroundIt) {
  auto onnx = [this](const std::string& where) {
    auto converted = convert(where);
    EXPECT_TRUE(converted) << converted.error().what;
    return converted ? converted->onnx : "";
  };
  const std::string plain = onnx("");
  EXPECT_GT(plain.size(), 1'700'000U);
  EXPECT_TRUE(plain == onnx("state_dict"));
  EXPECT_TRUE(plain == onnx("net"));
  State prefixed;
  for (auto& [name, tensor] : state_)
    prefixed.emplace("module." + name, std::move(tensor));
  state_ = std::move(prefixed);
  EXPECT_TRUE(plain == onnx(""));
}

TEST_F(SpoiledCheckpoint, MissingKeysAreNamedAndCounted) {
  for (const char* level : {"1", "2", "3"})
    for (const char* part : {".1.weight", ".1.bias"})
      state_.erase(std::string("ssh") + level + ".conv7x7_3" + part);
  expect_refused({"RetinaFace (MobileNet-0.25)", "6 tensors are missing", "ssh1.conv7x7_3.1.weight",
                  "and 2 more"});
}

TEST_F(SpoiledCheckpoint, KeysOfAnotherShapeAreNamedWithBoth) {
  state_.at("fpn.merge1.0.weight") = Tensor(DType::f32, {64, 64, 1, 1});
  expect_refused({"1 have another shape", "fpn.merge1.0.weight is 64x64x1x1 instead of 64x64x3x3"});
}

TEST_F(SpoiledCheckpoint, KeysThatAreLeftOverAreNamedAndCanBeIgnored) {
  state_.emplace("body.fc.weight", Tensor(DType::f32, {10, 256}));
  expect_refused({"1 are left over", "body.fc.weight", "--ignore"});
  auto converted = convert("", {"body.fc."});
  ASSERT_TRUE(converted) << converted.error().what;
  ASSERT_EQ(converted->notes.size(), 1U);
  EXPECT_NE(converted->notes[0].find("body.fc.weight"), std::string::npos);
}

TEST_F(SpoiledCheckpoint, NumbersThatAreNotFiniteAreRefused) {
  state_.at("body.stage2.0.0.weight").as<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  expect_refused({"body.stage2.0.0.weight", "infinities or NaN"});
}

TEST_F(SpoiledCheckpoint, WeightsOfAnotherTypeAreRefused) {
  state_.at("ClassHead.0.conv1x1.bias") = Tensor(DType::i64, {4});
  expect_refused({"ClassHead.0.conv1x1.bias", "int64", "float32 is needed"});
}

TEST_F(SpoiledCheckpoint, AnotherNetworkIsRefusedWithWhatItHasAndWhatIsKnown) {
  std::erase_if(state_, [](const auto& each) { return !each.first.starts_with("body."); });
  expect_refused({"none of the networks that are known", "RetinaFace", "body.stage1.0.0.weight"});
}

TEST_F(SpoiledCheckpoint, TwoNetworksInOddPlacesAreAmbiguous) {
  State both;
  for (auto& [name, tensor] : state_)
    for (const char* where : {"a/", "b/"})
      both.emplace(where + name, tensor.clone());
  // A name with '/' is what the reader makes of nested dictionaries.
  state_ = std::move(both);
  expect_refused({"holds 2 networks, in a, b"});
}

TEST(HostileCheckpoint, IsRefusedWithItsFileNamed) {
  VULTUS_NEED_SHARED(folder, "models/checkpoints");
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string path = entry.path();
    if (!entry.path().filename().string().starts_with("bad_")) continue;
    auto converted = convert::convert_checkpoint(path);
    ASSERT_FALSE(converted) << path;
    EXPECT_EQ(converted.error().code, Errc::bad_model) << path;
    EXPECT_TRUE(converted.error().what.starts_with(path + ": ")) << converted.error().what;
    ++count;
  }
  EXPECT_EQ(count, 18U);
}

}  // namespace
}  // namespace vultus::test
