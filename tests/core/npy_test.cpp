#include "host/core/npy.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace vultus {
namespace {

using testing::IsSubstring;

std::vector<std::byte> npy(const std::string& header, size_t data_bytes, char version = 1) {
  std::string text("\x93NUMPY", 6);
  text += version;
  text += '\0';
  text += static_cast<char>(header.size() & 0xff);
  text += static_cast<char>(header.size() >> 8);
  if (version == 2) text += std::string(2, '\0');
  text += header + std::string(data_bytes, '\0');
  std::vector<std::byte> bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("vultus_npy_" + std::to_string(std::random_device{}()))) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  size_t files() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

template <class T>
void expect_round_trip(const Shape& shape, std::initializer_list<T> values) {
  Folder folder;
  Tensor before = Tensor::of<T>(shape, values);
  ASSERT_TRUE(write_npy(folder / "a.npy", before.view()));
  auto after = read_npy(folder / "a.npy");
  ASSERT_TRUE(after) << after.error().what;
  EXPECT_EQ(after->shape(), shape);
  ASSERT_EQ(after->dtype(), dtype_of<T>());
  EXPECT_TRUE(std::equal(values.begin(), values.end(), after->template as<T>().begin()));
  EXPECT_EQ(folder.files(), 1u) << "a temporary file was left behind";
}

TEST(Npy, EveryElementTypeSurvivesARoundTrip) {
  expect_round_trip<float>({2, 3}, {1, -2, 3.5f, 0, 1e30f, -1e-30f});
  expect_round_trip<double>({1, 2, 1}, {1e300, -0.1});
  expect_round_trip<int32_t>({3}, {1, -2, 1 << 30});
  expect_round_trip<int64_t>({}, {int64_t{1} << 60});
  expect_round_trip<uint8_t>({1, 1, 1, 1, 1, 2}, {0, 255});
  expect_round_trip<int8_t>({2}, {-128, 127});
  expect_round_trip<bool>({2}, {true, false});
  expect_round_trip<float>({0, 4}, {});
}

TEST(Npy, HeaderIsAlignedAsNumpyDoesIt) {
  Folder folder;
  Tensor t = Tensor::of<float>({3}, {1, 2, 3});
  ASSERT_TRUE(write_npy(folder / "a.npy", t.view()));
  std::ifstream file(folder / "a.npy", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(text.size() % 64, 12u);
  EXPECT_PRED_FORMAT2(IsSubstring, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
                      text);
}

TEST(Npy, SecondVersionAndOtherSpellingsAreRead) {
  auto two =
      parse_npy(npy("{\"shape\":(2 ,2),'descr':'<f8','fortran_order':False}  \n", 32, 2), "a");
  ASSERT_TRUE(two) << two.error().what;
  EXPECT_EQ(two->shape(), (Shape{2, 2}));
  EXPECT_EQ(two->dtype(), DType::f64);
}

TEST(Npy, HostileHeadersAreRefusedWithAReason) {
  struct Case {
    std::string header;
    size_t data;
    std::string reason;
  };
  const Case cases[] = {
      {"{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", 8, "Fortran"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 8, "'|O'"},
      {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8, "little-endian"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 8, "8 bytes"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 8, "8 bytes"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", 8, "header"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,4294967296), }", 8, "8 byte"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8, "header"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }", 8, "header"},
      {"{'descr': '<f4', 'fortran_order': False, }", 8, "header"},
      {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 8, "header"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", 8, "header"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} + evil()", 8, "header"},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", 8, "header"},
      {"{'descr': '<f4", 0, "header"},
      {"", 0, "header"},
  };
  for (const Case& c : cases) {
    auto result = parse_npy(npy(c.header, c.data), "weights.npy");
    ASSERT_FALSE(result) << c.header;
    EXPECT_PRED_FORMAT2(IsSubstring, c.reason, result.error().what) << c.header;
    EXPECT_PRED_FORMAT2(IsSubstring, "weights.npy", result.error().what);
  }
}

TEST(Npy, EveryTruncationIsRefused) {
  auto whole = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 8);
  for (size_t n = 0; n < whole.size(); ++n)
    EXPECT_FALSE(parse_npy(std::span(whole).first(n), "a")) << n;
  EXPECT_FALSE(parse_npy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4, 3), "a"));
}

TEST(Npy, BoolsOtherThanZeroAndOneAreRefused) {
  auto bytes = npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", 2);
  bytes.back() = std::byte{2};
  EXPECT_FALSE(parse_npy(bytes, "a"));
}

TEST(Npy, MissingFilesAndFoldersAreNamed) {
  Folder folder;
  EXPECT_PRED_FORMAT2(IsSubstring, "none.npy", read_npy(folder / "none.npy").error().what);
  EXPECT_FALSE(read_npy(folder / ""));
  auto written = write_npy(folder / "no/such/folder.npy", Tensor(DType::f32, {1}).view());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::unwritable);
}

}  // namespace
}  // namespace vultus
