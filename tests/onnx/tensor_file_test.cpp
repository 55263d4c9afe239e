#include "host/onnx/tensor_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <limits>
#include <random>

#include "tests/onnx/tensor_files.hpp"

namespace vultus::test {
namespace {

using testing::IsSubstring;

class TensorFile : public testing::Test {
 protected:
  Result<NamedTensor> read(const std::string& bytes) {
    return read_tensor_file(folder_.write("t.pb", bytes));
  }
  Result<NamedTensor> read(const onnx::TensorProto& proto) {
    return read(proto.SerializeAsString());
  }
  void expect_refused(const Result<NamedTensor>& read, const std::string& reason) {
    ASSERT_FALSE(read) << reason;
    EXPECT_EQ(read.error().code, Errc::bad_input);
    EXPECT_PRED_FORMAT2(IsSubstring, reason, read.error().what);
    EXPECT_PRED_FORMAT2(IsSubstring, (folder_.path() / "").string(), read.error().what);
  }

  TensorFolder folder_;
};

TEST_F(TensorFile, HoldsANameAndAnArrayHoweverItIsWritten) {
  onnx::TensorProto typed = float_tensor("x", {2, 1}, {1.5f, -2}), raw = typed;
  raw.clear_float_data();
  const float values[] = {1.5f, -2};
  raw.set_raw_data(values, sizeof values);
  for (const auto& proto : {typed, raw}) {
    auto got = read(proto);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->name, "x");
    EXPECT_EQ(got->tensor.shape(), Shape({2, 1}));
    EXPECT_EQ(got->tensor.as<float>()[0], 1.5f);
    EXPECT_EQ(got->tensor.as<float>()[1], -2);
  }
  onnx::TensorProto scalar;
  scalar.set_data_type(onnx::TensorProto::INT64);
  scalar.add_int64_data(-7);
  auto got = read(scalar);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->tensor.shape().rank(), 0);
  EXPECT_EQ(got->tensor.as<int64_t>()[0], -7);
}

TEST_F(TensorFile, MayHoldInfinitiesAndNan) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  auto got = read(float_tensor("", {3}, {kInfinity, std::nanf(""), 1}));
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->tensor.as<float>()[0], kInfinity);
  EXPECT_TRUE(std::isnan(got->tensor.as<float>()[1]));
}

TEST_F(TensorFile, MayHoldNoElements) {
  auto got = read(float_tensor("", {0, 4}, {}));
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->tensor.shape(), Shape({0, 4}));
}

TEST_F(TensorFile, HalvesAreWidened) {
  onnx::TensorProto half;
  half.set_data_type(onnx::TensorProto::FLOAT16);
  half.add_dims(1);
  half.add_int32_data(0x3e00);
  auto got = read(half);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_EQ(got->tensor.as<float>()[0], 1.5f);
}

TEST_F(TensorFile, CutOffAnywhereItIsRefused) {
  onnx::TensorProto proto = float_tensor("x", {2}, {});
  const float values[] = {1, 2};
  proto.set_raw_data(values, sizeof values);
  const std::string bytes = proto.SerializeAsString();
  ASSERT_TRUE(read(bytes));
  for (size_t length = 0; length < bytes.size(); ++length)
    expect_refused(read(bytes.substr(0, length)), "numpy_helper.from_array");
}

TEST_F(TensorFile, OtherKindsOfValuesAreRefused) {
  // SequenceProto and OptionalProto: field 1 is their name, 2 their kind, 3 the tensor or tensors.
  const std::string kind("\x10\x01", 2), name("\x0a\x08sequence");
  expect_refused(read(kind), "has no data");
  expect_refused(read(name + kind), "has no data");
  const std::string element = float_tensor("", {1}, {1}).SerializeAsString();
  const std::string field = "\x1a" + std::string(1, static_cast<char>(element.size())) + element;
  expect_refused(read(name + kind + field), "holds a sequence, an optional value");
  expect_refused(read(kind + field + field), "holds a sequence, an optional value");
  expect_refused(read(small_model().SerializeAsString()), "t.pb");
  expect_refused(read("plain text, no tensor"), "is not an ONNX tensor");
  expect_refused(read(std::string()), "holds no tensor");
}

TEST_F(TensorFile, TensorsTheEngineDoesNotHaveAreRefused) {
  onnx::TensorProto text;
  text.set_data_type(onnx::TensorProto::STRING);
  text.add_string_data("a");
  expect_refused(read(text), "type STRING");
  onnx::TensorProto external = float_tensor("", {1}, {});
  external.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = external.add_external_data();
  entry->set_key("location");
  entry->set_value("/etc/passwd");
  expect_refused(read(external), "in another file");
  expect_refused(read(float_tensor("", {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1})), "at most 8");
}

TEST_F(TensorFile, SizesThatLieAreRefusedBeforeAnythingIsAllocated) {
  expect_refused(read(float_tensor("", {3}, {1, 2})), "holds 2 typed values");
  expect_refused(read(float_tensor("", {int64_t{1} << 28}, {1})), "holds 1 typed values");
  expect_refused(read(float_tensor("", {int64_t{1} << 40}, {1})), "over 8 GiB");
  expect_refused(read(float_tensor("", {int64_t{1} << 62, 4}, {1})), "impossible size");
  expect_refused(read(float_tensor("", {-1}, {1})), "impossible size");
  onnx::TensorProto twice = float_tensor("", {1}, {1});
  twice.set_raw_data("1234");
  expect_refused(read(twice), "holds its data twice");
  onnx::TensorProto boolean;
  boolean.set_data_type(onnx::TensorProto::BOOL);
  boolean.add_dims(1);
  boolean.set_raw_data("\x02");
  expect_refused(read(boolean), "neither 0 nor 1");
}

TEST_F(TensorFile, MillionsOfPartsAreRefused) {
  std::string bytes;
  for (int i = 0; i < 2'000'001; ++i)
    bytes.append("\x32\x00", 2);  // an empty string_data
  expect_refused(read(bytes), "parts, which is the limit");
}

TEST_F(TensorFile, WhatIsNoFileOrTooLargeIsRefused) {
  const std::string large = folder_.write("large.pb", "");
  std::filesystem::resize_file(large, std::uintmax_t{1} << 31);
  expect_refused(read_tensor_file(large), "over 2 GiB");
  const std::string pipe = (folder_.path() / "pipe.pb").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  expect_refused(read_tensor_file(pipe), "is not a file");
  expect_refused(read_tensor_file((folder_.path() / "").string()), "is not a file");
  expect_refused(read_tensor_file((folder_.path() / "absent.pb").string()), "cannot be opened");
}

TEST_F(TensorFile, DamagedBytesAreReadOrRefusedButNeverMore) {
  const std::string sound = float_tensor("name", {2, 3}, {1, 2, 3, 4, 5, 6}).SerializeAsString();
  std::mt19937 engine(20261121);
  int refused = 0;
  for (int i = 0; i < 500; ++i) {
    std::string bytes = sound;
    for (int change = 0; change < 1 + i % 3; ++change)
      bytes[engine() % bytes.size()] = static_cast<char>(engine());
    if (auto got = read(bytes)) {
      EXPECT_LE(got->tensor.size_bytes(), 8 * bytes.size());
      continue;
    }
    ++refused;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace vultus::test
