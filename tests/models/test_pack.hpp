#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/support.hpp"

namespace vultus::test {

/// Writes a pack of RetinaFace and PFLD from the shared folder; empty where they are absent.
inline std::string write_pack(const std::filesystem::path& folder) {
  const std::string detector = shared("models/retinaface_mnet025_dynamic.onnx");
  const std::string landmarks = shared("models/pfld98_ghostone_112.onnx");
  if (detector.empty() || landmarks.empty()) return "";
  std::filesystem::create_directory(folder);
  std::filesystem::copy_file(detector, folder / "detector.onnx");
  std::filesystem::copy_file(landmarks, folder / "landmarks.onnx");
  std::ofstream(folder / "pack.json") << R"({
      "schema": 1, "name": "test", "version": "1", "licence": "MIT, Apache-2.0", "networks": {
      "detector": {"file": "detector.onnx", "kind": "retinaface", "sha256":
        "b6c7ca797ff57fda52701f584a15169d305f3d338dcc0a9c9716eaf68859caa7"},
      "landmarks": {"file": "landmarks.onnx", "kind": "pfld98", "sha256":
        "74d1a83932af79c2689d9371b21f32d014552f089985f076e832e89cb18f41e8"}}})";
  return folder.string();
}

/// Writes the pack into `folder` and its path into `path`; as VULTUS_NEED_SHARED where it cannot.
#define VULTUS_NEED_PACK(path, folder)                                    \
  (path) = ::vultus::test::write_pack(folder);                            \
  if ((path).empty()) {                                                   \
    if (std::getenv("CI")) FAIL() << "the shared folder is absent in CI"; \
    GTEST_SKIP() << "the shared folder is absent (set VULTUS_SHARED)";    \
  }

}  // namespace vultus::test
