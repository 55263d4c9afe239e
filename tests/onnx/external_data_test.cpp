#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "host/onnx/self_contained.hpp"
#include "tests/onnx/model_builder.hpp"

namespace vultus::test {
namespace {

namespace fs = std::filesystem;
using testing::IsSubstring;

/// A folder with "model/weights.bin": bytes 0, then floats 1.5 and -2 from byte 3 on, 16 in all;
/// and a file "secret" outside.
class ExternalData : public testing::Test {
 protected:
  ExternalData()
      : root_(fs::temp_directory_path() /
              fmt::format("vultus_external_{}", std::random_device{}())) {
    fs::create_directories(root_ / "model/inner");
    std::string bytes(16, '\0');
    float values[] = {1.5f, -2};
    std::memcpy(bytes.data() + 3, values, sizeof values);
    std::ofstream(root_ / "model/weights.bin", std::ios::binary) << bytes;
    std::ofstream(root_ / "model/inner/deep.bin", std::ios::binary) << bytes;
    std::ofstream(root_ / "secret", std::ios::binary) << bytes;
  }
  ~ExternalData() override { fs::remove_all(root_); }

  /// A model whose output is the tensor stored there.
  Result<Graph> import(const std::string& location, const std::string& offset = "3",
                       const std::string& length = "8") {
    return import_model(model_at(location, offset, length), {},
                        folder_ ? (root_ / "model").string() : "");
  }
  onnx::ModelProto model_at(const std::string& location, const std::string& offset,
                            const std::string& length) {
    onnx::ModelProto model = small_model();
    auto* w = model.mutable_graph()->add_initializer();
    w->set_name("w");
    w->set_data_type(onnx::TensorProto::FLOAT);
    w->add_dims(2);
    w->set_data_location(onnx::TensorProto::EXTERNAL);
    auto add = [&](const char* key, const std::string& value) {
      if (value.empty()) return;
      auto* entry = w->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    };
    add("location", location);
    add("offset", offset);
    add("length", length);
    if (typed_data_) w->add_float_data(1);
    model.mutable_graph()->mutable_output(0)->set_name("w");
    return model;
  }
  /// Beside the data.
  std::string write(const onnx::ModelProto& model) {
    const fs::path path = root_ / "model/model.onnx";
    std::ofstream file(path, std::ios::binary);
    model.SerializeToOstream(&file);
    return path;
  }

  void expect_refused(const Result<Graph>& graph, const std::string& reason) {
    ASSERT_FALSE(graph) << reason;
    EXPECT_PRED_FORMAT2(IsSubstring, reason, graph.error().what);
    EXPECT_PRED_FORMAT2(IsSubstring, "initialiser 'w'", graph.error().what);
  }

  fs::path root_;
  bool folder_ = true;
  bool typed_data_ = false;
};

TEST_F(ExternalData, IsReadFromAnyOffset) {
  for (auto location : {"weights.bin", "inner/deep.bin", "./inner/../weights.bin"}) {
    auto graph = import(location);
    ASSERT_TRUE(graph) << graph.error().what;
    const Tensor* w = graph->constant(graph->outputs[0]);
    ASSERT_TRUE(w);
    EXPECT_EQ(w->as<float>()[0], 1.5f);
    EXPECT_EQ(w->as<float>()[1], -2.0f);
  }
  EXPECT_TRUE(import("weights.bin", "3", ""));
  EXPECT_TRUE(import("weights.bin", "", ""));
}

TEST_F(ExternalData, PathsOutOfTheFolderAreRefused) {
  fs::create_symlink(root_ / "secret", root_ / "model/link");
  fs::create_directory_symlink(root_, root_ / "model/up");
  expect_refused(import("../secret"), "outside the model's folder");
  expect_refused(import("inner/../../secret"), "outside the model's folder");
  expect_refused(import("link"), "outside the model's folder");
  expect_refused(import("up/secret"), "outside the model's folder");
  expect_refused(import((root_ / "model/weights.bin").string()), "a path inside");
  expect_refused(import("/etc/passwd"), "a path inside");
  expect_refused(import(""), "a path inside");
}

TEST_F(ExternalData, ALinkThatStaysInsideIsFollowed) {
  fs::create_symlink("weights.bin", root_ / "model/inside");
  EXPECT_TRUE(import("inside"));
}

TEST_F(ExternalData, WhatIsNoFileIsRefused) {
  ASSERT_EQ(mkfifo((root_ / "model/pipe").c_str(), 0600), 0);
  expect_refused(import("inner"), "not a file");
  expect_refused(import("pipe"), "not a file");
  expect_refused(import("absent.bin"), "not there");
  expect_refused(import("weights.bin\n"), "control characters");
  folder_ = false;
  expect_refused(import("weights.bin"), "read from memory");
}

TEST_F(ExternalData, BytesBeyondTheFileAreRefused) {
  expect_refused(import("weights.bin", "9"),
                 "needs bytes 9 to 17 of 'weights.bin', which has only");
  expect_refused(import("weights.bin", "9223372036854775807"), "needs bytes");
  expect_refused(import("weights.bin", "9223372036854775808"), "no byte count");
  expect_refused(import("weights.bin", "-1"), "no byte count");
  expect_refused(import("weights.bin", "1e3"), "no byte count");
  expect_refused(import("weights.bin", "0", "12"), "12 bytes of external data");
  expect_refused(import("weights.bin", "0", "4"), "4 bytes of external data");
}

TEST_F(ExternalData, DataInBothPlacesIsRefused) {
  typed_data_ = true;
  expect_refused(import("weights.bin"), "both external data and data in the file");
}

TEST_F(ExternalData, IsPutInsideByReadSelfContained) {
  onnx::ModelProto model = model_at("weights.bin", "3", "");
  // Large enough to be left out of the parsed message, and so to be put back.
  add_floats(model, "inside", {1000})->clear_float_data();
  model.mutable_graph()->mutable_initializer(1)->set_raw_data(std::string(4000, '\x3f'));
  auto contained = read_self_contained(write(model));
  ASSERT_TRUE(contained) << contained.error().what;
  EXPECT_EQ(contained->brought_in, 1U);
  onnx::ModelProto read;
  ASSERT_TRUE(read.ParseFromString(contained->bytes));
  EXPECT_EQ(read.graph().initializer(1).raw_data(), std::string(4000, '\x3f'));
  auto graph = import_model(read);  // no folder: nothing external is left
  ASSERT_TRUE(graph) << graph.error().what;
  const Tensor* w = graph->constant(graph->outputs[0]);
  ASSERT_TRUE(w);
  EXPECT_EQ(w->as<float>()[0], 1.5f);
  EXPECT_EQ(w->as<float>()[1], -2.0f);
}

TEST_F(ExternalData, AModelWithoutItIsReadAsItIs) {
  const onnx::ModelProto model = small_model();
  auto contained = read_self_contained(write(model));
  ASSERT_TRUE(contained) << contained.error().what;
  EXPECT_EQ(contained->brought_in, 0U);
  EXPECT_EQ(contained->bytes, model.SerializeAsString());
}

TEST_F(ExternalData, WhatCannotBePutInsideIsRefusedByName) {
  for (const auto& [location, offset, length, reason] :
       {std::tuple("../secret", "0", "8", "outside the model's folder"),
        std::tuple("weights.bin", "9", "8", "needs bytes 9 to 17"),
        std::tuple("weights.bin", "0", "4", "4 bytes of external data")}) {
    const std::string path = write(model_at(location, offset, length));
    auto contained = read_self_contained(path);
    ASSERT_FALSE(contained) << reason;
    EXPECT_EQ(contained.error().code, Errc::bad_model);
    EXPECT_PRED_FORMAT2(IsSubstring, reason, contained.error().what);
    EXPECT_PRED_FORMAT2(IsSubstring, path + ": initialiser 'w'", contained.error().what);
  }
}

}  // namespace
}  // namespace vultus::test
