// Making and extending packs, with small networks written for the purpose.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "host/onnx/writer.hpp"
#include "models/pack/sha256.hpp"
#include "models/pack/writer.hpp"
#include "tests/support/support.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus::test {
namespace {

namespace fs = std::filesystem;
using Listing = std::map<std::string, std::string>;  ///< contents by path

/// Channels and size of the input, and how many numbers come out: the contract of a landmark kind.
std::string landmark_network(int64_t channels, int64_t size, int64_t numbers, uint32_t seed = 1) {
  OnnxWriter network("test");
  network.input("input", {1, channels, size, size});
  network.initializer("w", random_tensor({numbers, channels, 1, 1}, seed));
  network.node("GlobalAveragePool", "mean", {"input"});
  network.node("Conv", "conv", {"mean", "w"});
  network.node("Flatten", "output", {"conv"});
  network.output("output", {1, numbers});
  return network.serialise().value();
}

NewNetwork new_network(const char* kind, std::string onnx, std::string licence = "") {
  return {.kind = find_pack_kind(kind),
          .onnx = std::move(onnx),
          .licence = std::move(licence),
          .source = "source.pth",
          .source_sha256 = std::string(64, 'a')};
}

NewNetwork ibug(uint32_t seed = 1) {
  return new_network("ibug68", landmark_network(1, 64, 136, seed), "CC0");
}

class PackWriter : public ::testing::Test {
 protected:
  PackTarget target(bool force = false) const {
    return {.folder = (root_ / "made/pack").string(), .force = force};
  }
  nlohmann::json manifest() const {
    return nlohmann::json::parse(std::ifstream(fs::path(target().folder) / "pack.json"));
  }
  Listing listing() const {
    Listing files;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      std::string& text = files[entry.path().string()];
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      text = {std::istreambuf_iterator<char>(file), {}};
    }
    return files;
  }
  /// Fails and leaves everything as it was.
  void expect_refused(const std::vector<const NewNetwork*>& networks, Errc code,
                      const std::string& part) {
    const Listing before = listing();
    auto pack = add_to_pack(target(), networks);
    ASSERT_FALSE(pack);
    EXPECT_EQ(pack.error().code, code) << pack.error().what;
    EXPECT_NE(pack.error().what.find(part), std::string::npos) << pack.error().what;
    EXPECT_EQ(listing(), before);
  }

  const test::TemporaryFolder temporary_;
  const fs::path root_ = temporary_.path();
};

TEST_F(PackWriter, ANewPackNamesFilesSumsLicenceAndSource) {
  const NewNetwork network = ibug();
  auto pack = add_to_pack(target(), {&network});
  ASSERT_TRUE(pack) << pack.error().what;
  const std::string sum = sha256_of(network.onnx).value();
  const PackNetwork& landmarks = pack->networks.at("landmarks");
  EXPECT_EQ(landmarks.sha256, sum);
  EXPECT_EQ(landmarks.licence, "CC0");
  EXPECT_EQ(fs::path(landmarks.path).filename(), "ibug68-" + sum.substr(0, 8) + ".onnx");
  EXPECT_EQ(sha256_of_file(landmarks.path).value(), sum);
  const auto written = manifest();
  EXPECT_EQ(written["name"], "pack");
  EXPECT_EQ(written["licence"], "CC0");
  EXPECT_EQ(written["networks"]["landmarks"]["source"]["file"], "source.pth");
  EXPECT_EQ(written["networks"]["landmarks"]["source"]["sha256"], std::string(64, 'a'));
  // The folders made, the network and the manifest, nothing temporary.
  EXPECT_EQ(listing().size(), 4U);
  auto complete = load_pack(target().folder);
  ASSERT_FALSE(complete);
  EXPECT_NE(complete.error().what.find("no \"detector\" network"), std::string::npos);
}

TEST_F(PackWriter, AnUnstatedLicenceIsSaidToBe) {
  const NewNetwork network = new_network("star98", landmark_network(3, 256, 196));
  auto pack = add_to_pack(target(), {&network});
  ASSERT_TRUE(pack) << pack.error().what;
  EXPECT_TRUE(pack->licence.starts_with("not stated; ")) << pack->licence;
}

TEST_F(PackWriter, AddingKeepsWhatIsThere) {
  const NewNetwork network = ibug();
  ASSERT_TRUE(add_to_pack(target(), {&network}));
  auto written = manifest();
  written["notes"] = "by hand";
  written["licence"] = "MIT";
  written["networks"]["other"] = written["networks"]["landmarks"];
  written["networks"]["other"]["threshold"] = 0.25;
  written["networks"]["other"].erase("licence");
  written["networks"].erase("landmarks");
  std::ofstream(fs::path(target().folder) / "pack.json") << written.dump();

  const NewNetwork second = new_network("pfld98", landmark_network(3, 112, 196), "Apache-2.0");
  auto pack = add_to_pack(target(), {&second});
  ASSERT_TRUE(pack) << pack.error().what;
  EXPECT_EQ(pack->networks.size(), 2U);
  EXPECT_EQ(pack->notes, "by hand");
  EXPECT_EQ(pack->networks.at("other").score_threshold, 0.25);
  // What the pack stated for all is said of the one it was stated for.
  EXPECT_EQ(pack->networks.at("other").licence, "MIT");
  EXPECT_EQ(pack->licence, "other: MIT; landmarks: Apache-2.0");
}

TEST_F(PackWriter, ATakenRoleIsKeptWithoutForceAndReplacedWithIt) {
  const NewNetwork first = ibug(1), second = ibug(2);
  ASSERT_TRUE(add_to_pack(target(), {&first}));
  expect_refused({&second}, Errc::unwritable, "--force");
  auto pack = add_to_pack(target(true), {&second});
  ASSERT_TRUE(pack) << pack.error().what;
  EXPECT_EQ(pack->networks.at("landmarks").sha256, sha256_of(second.onnx).value());
  EXPECT_EQ(listing().size(), 4U);  // the first one's file is gone
  EXPECT_TRUE(add_to_pack(target(true), {&second}));
  EXPECT_TRUE(read_pack(target().folder));
}

TEST_F(PackWriter, ANetworkThatIsNotItsKindIsRefused) {
  const NewNetwork few = new_network("pfld98", landmark_network(3, 112, 136));
  expect_refused({&few}, Errc::bad_model, "not a pfld98 landmark network");
  const NewNetwork broken = new_network("ibug68", "no network");
  expect_refused({&broken}, Errc::bad_model, "");
  const NewNetwork multitask = new_network("mtl", landmark_network(3, 224, 8));
  expect_refused({&multitask}, Errc::bad_model, "not an mtl network");
  // A good one beside a bad one is not written either.
  const NewNetwork good = ibug();
  expect_refused({&good, &multitask}, Errc::bad_model, "not an mtl network");
}

TEST_F(PackWriter, OneRoleTwiceIsAUsageError) {
  const NewNetwork first = ibug(), second = new_network("pfld98", landmark_network(3, 112, 196));
  expect_refused({&first, &second}, Errc::usage, "a second landmarks network");
}

TEST_F(PackWriter, ADamagedPackIsNotAddedTo) {
  const NewNetwork first = ibug(), second = new_network("mtl", "");
  ASSERT_TRUE(add_to_pack(target(), {&first}));
  std::ofstream(read_pack(target().folder)->networks.at("landmarks").path, std::ios::app) << "x";
  expect_refused({&second}, Errc::bad_model, "has SHA-256");
}

TEST_F(PackWriter, AFileInTheWayIsUnwritable) {
  std::ofstream(root_ / "made") << "in the way";
  const NewNetwork network = ibug();
  expect_refused({&network}, Errc::unwritable, "made/pack");
}

TEST(PackKinds, OnnxFilesAreRecognisedByWhatTheyTakeAndGive) {
  for (const auto& [file, kind] : {std::pair("retinaface_mnet025_dynamic", "retinaface"),
                                   {"version-RFB-320", "ultra_light"},
                                   {"pfld98_ghostone_112", "pfld98"},
                                   {"star98_256_seeded", "star98"},
                                   {"mtl_efficientnet_b0_224_seeded", "mtl"},
                                   {"face_detection_yunet_2023mar", ""}}) {
    VULTUS_NEED_SHARED(path, std::string("models/") + file + ".onnx");
    auto found = recognise_onnx(path);
    EXPECT_EQ(found ? (*found)->name : "", kind) << file;
    if (found) {
      EXPECT_TRUE(check_network(path, **found)) << file;
    }
  }
}

TEST(PackKinds, ADetectorOfOnePictureSizeIsRefused) {
  VULTUS_NEED_SHARED(path, "models/retinaface_mnet025_640x640.onnx");
  auto checked = check_network(path, *find_pack_kind("retinaface"));
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().what.find("takes pictures of 640x640 only"), std::string::npos);
}

}  // namespace
}  // namespace vultus::test
