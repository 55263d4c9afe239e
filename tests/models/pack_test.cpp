#include "models/pack/pack.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "models/pack/sha256.hpp"
#include "tests/support/support.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;

// SHA-256 of "abc": FIPS 180-4, example.
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

class PackFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(root_ / "pack");
    write("pack/net.onnx", "abc");
    write("outside.onnx", "abc");
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  std::string folder() const { return (root_ / "pack").string(); }
  static std::string network(const std::string& file, const std::string& sum = kAbc,
                             const std::string& more = "") {
    return R"({"file": ")" + file + R"(", "sha256": ")" + sum + R"(", "kind": "retinaface")" +
           more + "}";
  }
  static std::string manifest(const std::string& detector, const std::string& landmarks) {
    return R"({"schema": 1, "name": "test", "version": "1", "licence": "none", "networks":
      {"detector": )" +
           detector + R"(, "landmarks": )" + landmarks + "}}";
  }
  /// The sentence with which a manifest is refused.
  std::string refusal(const std::string& text) {
    write("pack/pack.json", text);
    Result<Pack> pack = load_pack(folder());
    if (pack) return "";
    EXPECT_EQ(pack.error().code, Errc::bad_model);
    return pack.error().what;
  }
  void expect_refused(const std::string& text, const std::string& part) {
    std::string what = refusal(text);
    EXPECT_NE(what.find(part), std::string::npos) << what;
  }

  const test::TemporaryFolder temporary_;
  const fs::path root_ = temporary_.path();
};

TEST_F(PackFolder, AGoodPackIsRead) {
  write("pack/pack.json",
        manifest(network("net.onnx", kAbc, R"(, "threshold": 0.6, "channels": "bgr")"),
                 network("net.onnx")));
  Result<Pack> pack = load_pack(folder());
  ASSERT_TRUE(pack) << pack.error().what;
  EXPECT_EQ(pack->name, "test");
  const PackNetwork& detector = pack->networks.at("detector");
  EXPECT_EQ(detector.score_threshold, 0.6);
  EXPECT_EQ(detector.nms_threshold, std::nullopt);
  EXPECT_FALSE(detector.rgb);
  EXPECT_EQ(fs::path(detector.path).filename(), "net.onnx");
}

TEST_F(PackFolder, AnotherChecksumIsRefusedWithBoth) {
  std::string wrong(64, '0');
  std::string what = refusal(manifest(network("net.onnx", wrong), network("net.onnx")));
  EXPECT_NE(what.find(kAbc), std::string::npos) << what;
  EXPECT_NE(what.find(wrong), std::string::npos) << what;
}

TEST_F(PackFolder, FilesOutsideTheFolderAreRefused) {
  for (std::string name : {std::string("../outside.onnx"), std::string("./../outside.onnx"),
                           (root_ / "outside.onnx").string(), std::string("")})
    expect_refused(manifest(network(name), network("net.onnx")), "inside the pack's folder");
}

TEST_F(PackFolder, ALinkOutOfTheFolderIsRefusedAndOneInsideIsNot) {
  fs::create_symlink(root_ / "outside.onnx", root_ / "pack/link.onnx");
  expect_refused(manifest(network("link.onnx"), network("net.onnx")), "leads out");
  fs::create_symlink("net.onnx", root_ / "pack/alias.onnx");
  EXPECT_EQ(refusal(manifest(network("alias.onnx"), network("net.onnx"))), "");
  // A sibling whose name begins like the folder's is not inside it.
  fs::create_directory(root_ / "pack2");
  write("pack2/net.onnx", "abc");
  fs::create_symlink(root_ / "pack2/net.onnx", root_ / "pack/near.onnx");
  expect_refused(manifest(network("near.onnx"), network("net.onnx")), "leads out");
}

TEST_F(PackFolder, BrokenManifestsAreRefusedByName) {
  const std::string good = network("net.onnx");
  expect_refused("", "not a JSON object");
  expect_refused("[1]", "not a JSON object");
  expect_refused("{", "not a JSON object");
  expect_refused("{}", "schema");
  expect_refused(R"({"schema": 2})", "schema");
  expect_refused(R"({"schema": 1, "name": 7})", "\"name\"");
  expect_refused(R"({"schema": 1, "name": "a", "version": "1", "licence": "x"})", "\"networks\"");
  expect_refused(manifest(good, "[]"), "must be an object");
  expect_refused(manifest(good, R"({"file": "net.onnx"})"), "sha256");
  expect_refused(manifest(network("gone.onnx"), good), "gone.onnx");
  expect_refused(manifest(network("."), good), "not a regular file");
  expect_refused(manifest(network("net.onnx", kAbc, R"(, "threshold": 2)"), good), "threshold");
  expect_refused(manifest(network("net.onnx", kAbc, R"(, "nms": "a")"), good), "nms");
  expect_refused(manifest(network("net.onnx", kAbc, R"(, "channels": "cmyk")"), good), "channels");
  expect_refused(R"({"schema": 1, "name": "a", "version": "1", "licence": "x", "networks": {}})",
                 "detector");
  expect_refused(std::string(2 << 20, ' '), "1 MiB");
  expect_refused(std::string(500000, '['), "not a JSON object");
}

TEST_F(PackFolder, AnUnknownKindIsRefusedWithTheKnownOnes) {
  write("pack/pack.json", manifest(network("net.onnx"), network("net.onnx")));
  Pack pack = load_pack(folder()).value();
  pack.networks.at("detector").kind = "haar";
  Result<std::unique_ptr<face::Detector>> detector = open_detector(pack, {});
  ASSERT_FALSE(detector);
  EXPECT_NE(detector.error().what.find("retinaface, ultra_light"), std::string::npos);
  Result<std::unique_ptr<face::Landmarker>> landmarker = open_landmarker(pack, {});
  ASSERT_FALSE(landmarker);
  EXPECT_NE(landmarker.error().what.find("pfld98, star98, ibug68"), std::string::npos);
}

TEST_F(PackFolder, TheChosenFolderIsTheOnlyOneLookedAt) {
  write("pack/pack.json", "{}");
  EXPECT_EQ(find_pack(folder()).value(), folder());
  Result<std::string> missing = find_pack((root_ / "nowhere").string());
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().what.find("nowhere"), std::string::npos);
  EXPECT_EQ(missing.error().what.find("/usr/share"), std::string::npos);
}

TEST(Sha256, MatchesTheChecksumsOfTheSharedModels) {
  VULTUS_NEED_SHARED(path, "models/pfld98_ghostone_112.onnx");
  EXPECT_EQ(sha256_of_file(path).value(),
            "74d1a83932af79c2689d9371b21f32d014552f089985f076e832e89cb18f41e8");
  EXPECT_EQ(sha256_of_file("/nonexistent/file").error().code, Errc::bad_input);
}

}  // namespace
}  // namespace vultus
