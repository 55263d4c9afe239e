#include "host/core/write_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace vultus {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(WriteFile, WhetherItCanBeginIsToldWithoutATrace) {
  const fs::path folder =
      fs::temp_directory_path() / ("vultus_write_file_" + std::to_string(getpid()));
  fs::create_directory(folder);
  const std::string path = folder / "page.html";
  EXPECT_TRUE(check_writable(path));
  EXPECT_TRUE(fs::is_empty(folder));
  ASSERT_TRUE(write_file(path, {"one ", "two"}));
  EXPECT_TRUE(check_writable(path));
  EXPECT_EQ(content(path), "one two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1);
  for (const std::string& wrong : {folder.string(), (folder / "absent" / "x").string()}) {
    auto checked = check_writable(wrong);
    ASSERT_FALSE(checked) << wrong;
    EXPECT_EQ(checked.error().code, Errc::unwritable);
    EXPECT_NE(checked.error().what.find(wrong), std::string::npos);
    EXPECT_FALSE(write_file(wrong, {"x"}));
  }
  EXPECT_EQ(content(path), "one two");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace vultus
