#include "host/core/cache_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;

std::vector<std::byte> some_bytes(size_t count) {
  std::vector<std::byte> bytes(count);
  for (size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<std::byte>(i * 31);
  return bytes;
}

class CacheFolder : public testing::Test {
 protected:
  const test::TemporaryFolder temporary;
  const std::string folder = temporary.path();
};

TEST_F(CacheFolder, WhatWasWrittenIsReadAgain) {
  CacheFile file(folder, "a.bin");
  EXPECT_TRUE(file.read(1000).empty());
  file.write(some_bytes(100));
  EXPECT_EQ(CacheFile(folder, "a.bin").read(1000), some_bytes(100));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "no temporary file stays";
  EXPECT_TRUE(file.read(99).empty()) << "larger than the reader expects";
}

TEST_F(CacheFolder, ThatOthersMayWriteIsNotTrusted) {
  CacheFile file(folder, "a.bin");
  file.write(some_bytes(10));
  chmod(file.path().c_str(), 0666);
  EXPECT_TRUE(file.read(1000).empty());
  chmod(file.path().c_str(), 0600);
  chmod(folder.c_str(), 0777);
  EXPECT_TRUE(CacheFile(folder, "a.bin").path().empty());
}

TEST_F(CacheFolder, ALinkIsNotFollowed) {
  CacheFile file(folder, "a.bin");
  file.write(some_bytes(10));
  fs::create_symlink(file.path(), folder + "/b.bin");
  EXPECT_TRUE(CacheFile(folder, "b.bin").read(1000).empty());
}

TEST(CacheFile, ADashKeepsNothing) {
  CacheFile file("-", "a.bin");
  file.write(some_bytes(10));
  EXPECT_TRUE(file.path().empty());
  EXPECT_TRUE(file.read(1000).empty());
}

TEST(SealedFile, OnlyItsOwnKeyOpensIt) {
  auto file = seal("device 1", some_bytes(50));
  auto back = unseal("device 1", file);
  ASSERT_TRUE(back);
  auto expected = some_bytes(50);
  EXPECT_TRUE(std::equal(back->begin(), back->end(), expected.begin(), expected.end()));
  EXPECT_FALSE(unseal("device 2", file));
}

TEST(SealedFile, EveryTruncationAndEveryFlippedByteIsRefused) {
  auto file = seal("key", some_bytes(50));
  for (size_t length = 0; length < file.size(); ++length)
    EXPECT_FALSE(unseal("key", std::span(file).first(length))) << length;
  for (size_t i = 0; i < file.size(); ++i) {
    file[i] ^= std::byte{0x10};
    EXPECT_FALSE(unseal("key", file)) << i;
    file[i] ^= std::byte{0x10};
  }
}

}  // namespace
}  // namespace vultus
