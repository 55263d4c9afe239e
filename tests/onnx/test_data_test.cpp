#include "host/onnx/test_data.hpp"

#include <gtest/gtest.h>

#include "tests/onnx/tensor_files.hpp"

namespace vultus::test {
namespace {

using testing::IsSubstring;

/// s = a + b and d = a - b, both [2]; "c" is an input with an initialiser, as old files have it.
Graph two_inputs() {
  onnx::ModelProto model = small_model();
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.clear_node();
  graph.clear_output();
  auto* type = graph.mutable_input(0)->mutable_type()->mutable_tensor_type();
  type->mutable_shape()->mutable_dim()->RemoveLast();
  const onnx::ValueInfoProto x = graph.input(0);
  graph.clear_input();
  for (const char* name : {"a", "c", "b"}) {
    *graph.add_input() = x;
    graph.mutable_input(graph.input_size() - 1)->set_name(name);
  }
  add_floats(model, "c", {2});
  add_node(model, "Add", "add", {"a", "b"}, {"s"});
  add_node(model, "Sub", "sub", {"a", "b"}, {"d"});
  graph.add_output()->set_name("s");
  graph.add_output()->set_name("d");
  auto imported = import_model(model);
  EXPECT_TRUE(imported) << imported.error().what;
  return std::move(imported).value();
}

class TestDataFolder : public testing::Test {
 protected:
  std::string path() const { return folder_.path().string(); }
  void write(const std::string& file, const std::string& name, const std::vector<float>& values) {
    folder_.write(file, float_tensor(name, {static_cast<int64_t>(values.size())}, values));
  }
  void expect_refused(const std::string& reason) {
    auto data = read_test_data(path(), graph_);
    ASSERT_FALSE(data) << reason;
    EXPECT_EQ(data.error().code, Errc::bad_input);
    EXPECT_PRED_FORMAT2(IsSubstring, reason, data.error().what);
    EXPECT_PRED_FORMAT2(IsSubstring, path(), data.error().what);
  }

  TensorFolder folder_;
  Graph graph_ = two_inputs();
};

TEST_F(TestDataFolder, FilesBelongToInputsInOrder) {
  write("input_0.pb", "", {1, 2});
  write("input_1.pb", "somebody's", {3, 4});
  write("output_1.pb", "", {-2, -2});
  folder_.write("input_0.npz", "of an old layout");
  folder_.write("input_01.pb", "no number of ours");
  auto data = read_test_data(path(), graph_);
  ASSERT_TRUE(data) << data.error().what;
  EXPECT_EQ(data->folder, path());
  ASSERT_EQ(data->inputs.size(), 2u);
  EXPECT_EQ(data->inputs.at("a").as<float>()[0], 1);
  EXPECT_EQ(data->inputs.at("b").as<float>()[0], 3);
  ASSERT_EQ(data->outputs.size(), 1u);
  EXPECT_EQ(data->outputs.at("d").as<float>()[0], -2);
}

TEST_F(TestDataFolder, ANameOfTheNetworkGoesBeforeTheOrder) {
  write("input_0.pb", "b", {3, 4});
  write("input_1.pb", "a", {1, 2});
  write("output_0.pb", "d", {-2, -2});
  auto data = read_test_data(path(), graph_);
  ASSERT_TRUE(data) << data.error().what;
  EXPECT_EQ(data->inputs.at("a").as<float>()[0], 1);
  EXPECT_EQ(data->inputs.at("b").as<float>()[0], 3);
  EXPECT_TRUE(data->outputs.contains("d"));
}

TEST_F(TestDataFolder, TwoFilesForOneInputAreRefused) {
  write("input_0.pb", "b", {1, 2});
  write("input_1.pb", "", {3, 4});
  expect_refused("input_0.pb and input_1.pb are both for input 'b'");
}

TEST_F(TestDataFolder, MissingAndSurplusFilesAreNamed) {
  write("input_0.pb", "", {1, 2});
  expect_refused("input_1.pb is missing; the network has 2 inputs (a, b)");
  write("input_2.pb", "", {1, 2});
  expect_refused("input_1.pb is missing");
  write("input_1.pb", "", {1, 2});
  expect_refused("holds input_2.pb, but the network has 2 inputs (a, b)");
  std::filesystem::remove(folder_.path() / "input_2.pb");
  write("output_99999999999999999999.pb", "", {1, 2});
  EXPECT_TRUE(read_test_data(path(), graph_)) << "that is no number";
  write("output_2.pb", "", {1, 2});
  expect_refused("holds output_2.pb, but the network has 2 outputs (s, d)");
}

TEST_F(TestDataFolder, InputsOfAnotherTypeOrSizeAreNamed) {
  write("input_0.pb", "", {1, 2});
  write("input_1.pb", "", {1, 2, 3});
  expect_refused("input_1.pb: holds float32 3, but input 'b' takes float32 2");
  expect_refused("--shape b=3");
  onnx::TensorProto integers = float_tensor("", {2}, {});
  integers.set_data_type(onnx::TensorProto::INT32);
  integers.add_int32_data(1);
  integers.add_int32_data(2);
  folder_.write("input_1.pb", integers);
  expect_refused("input_1.pb: holds int32 2, but input 'b' takes float32 2");
}

TEST_F(TestDataFolder, ADamagedFileIsNamed) {
  write("input_0.pb", "", {1, 2});
  write("input_1.pb", "", {1, 2});
  folder_.write("output_0.pb", "damaged");
  expect_refused("output_0.pb: ");
}

TEST_F(TestDataFolder, IsFoundItselfOrInAFolderInNaturalOrder) {
  auto found = find_test_data(path());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::bad_input);
  EXPECT_PRED_FORMAT2(IsSubstring, "test_data_set_0", found.error().what);
  const std::vector<std::string> order = {"test_data_set_0",  "test_data_set_2", "test_data_set_09",
                                          "test_data_set_10", "test_data_set_",  "test_data_set_b"};
  for (const std::string& name : order)
    std::filesystem::create_directory(folder_.path() / name);
  folder_.write("model.onnx", "");
  folder_.write("test_data_set_1.tar.gz", "");
  found = find_test_data(path());
  ASSERT_TRUE(found) << found.error().what;
  std::vector<std::string> names;
  for (const std::string& folder : *found)
    names.push_back(std::filesystem::path(folder).filename().string());
  EXPECT_EQ(names, order);
  write("output_0.pb", "", {1});
  found = find_test_data(path());
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(*found, std::vector{path()});
}

TEST_F(TestDataFolder, WhatIsNoFolderIsRefused) {
  const std::string file = folder_.write("input_0.pb", "");
  for (const std::string& no_folder : {file, file + ".absent"}) {
    auto found = find_test_data(no_folder);
    ASSERT_FALSE(found);
    EXPECT_PRED_FORMAT2(IsSubstring, "is not a folder", found.error().what);
    EXPECT_FALSE(read_test_data(no_folder, graph_));
  }
}

}  // namespace
}  // namespace vultus::test
