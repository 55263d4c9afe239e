#include "gpu/pipeline_cache.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/support/gpu.hpp"
#include "tests/support/support.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus::gpu {
namespace {

namespace fs = std::filesystem;

VkPhysicalDeviceProperties properties() {
  VkPhysicalDeviceProperties p{};
  p.vendorID = 0x10de;
  p.deviceID = 7;
  p.driverVersion = 3;
  p.pipelineCacheUUID[5] = 9;
  return p;
}

std::vector<std::byte> payload_for(const VkPhysicalDeviceProperties& p) {
  VkPipelineCacheHeaderVersionOne header{sizeof(VkPipelineCacheHeaderVersionOne),
                                         VK_PIPELINE_CACHE_HEADER_VERSION_ONE,
                                         p.vendorID,
                                         p.deviceID,
                                         {}};
  std::memcpy(header.pipelineCacheUUID, p.pipelineCacheUUID, VK_UUID_SIZE);
  std::vector<std::byte> payload(sizeof(header) + 100, std::byte{42});
  std::memcpy(payload.data(), &header, sizeof(header));
  return payload;
}

TEST(PipelineCacheFile, ComesBackAsItWas) {
  auto payload = payload_for(properties());
  auto file = seal_cache(payload, properties());
  auto back = unseal_cache(file, properties());
  ASSERT_TRUE(back);
  EXPECT_TRUE(std::equal(back->begin(), back->end(), payload.begin(), payload.end()));
}

TEST(PipelineCacheFile, EveryTruncationIsRefused) {
  auto file = seal_cache(payload_for(properties()), properties());
  for (size_t length = 0; length < file.size(); ++length)
    EXPECT_FALSE(unseal_cache(std::span(file).first(length), properties())) << length;
}

TEST(PipelineCacheFile, EveryFlippedByteIsRefused) {
  auto file = seal_cache(payload_for(properties()), properties());
  for (size_t i = 0; i < file.size(); ++i) {
    file[i] ^= std::byte{0x10};
    EXPECT_FALSE(unseal_cache(file, properties())) << i;
    file[i] ^= std::byte{0x10};
  }
}

TEST(PipelineCacheFile, AnotherDriverOrDeviceIsRefused) {
  auto file = seal_cache(payload_for(properties()), properties());
  auto other = properties();
  other.driverVersion++;
  EXPECT_FALSE(unseal_cache(file, other));
  other = properties();
  other.pipelineCacheUUID[0]++;
  EXPECT_FALSE(unseal_cache(file, other));
}

TEST(PipelineCacheFile, APayloadWhoseOwnHeaderLiesIsRefused) {
  auto payload = payload_for(properties());
  payload[0] = std::byte{0xff};  // headerSize
  payload[1] = std::byte{0xff};
  EXPECT_FALSE(unseal_cache(seal_cache(payload, properties()), properties()));
}

/// A folder of this test alone, gone afterwards.
struct Folder {
  const test::TemporaryFolder temporary;
  const fs::path path = temporary.path();
  fs::path cache() const { return path / "vultus"; }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    if (fs::exists(cache()))
      for (const auto& entry : fs::directory_iterator(cache()))
        found.push_back(entry.path());
    return found;
  }
};

/// Opens the test device with that cache, runs a kernel and closes it.
void run_once_with(const fs::path& folder) {
  OpenOptions options;
  options.selector = "llvmpipe";
  options.cache_folder = folder.string();
  options.validation = validation_available();
  auto device = open(options);
  if (!device) GTEST_SKIP() << device.error().what;
  Tensor x = test::random_tensor({3, 5}, 1);
  std::vector<test::Operand> operands;
  operands.push_back({x.clone(), false});
  auto graph = test::single_node("Relu", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  auto out = test::run_on(**device, *graph, {&x});
  ASSERT_TRUE(out) << out.error().what;
  for (const auto& message : take_validation_messages(**device))
    ADD_FAILURE() << message;
}

TEST(PipelineCache, IsWrittenForItsOwnerOnly) {
  Folder folder;
  run_once_with(folder.cache());
  if (testing::Test::IsSkipped()) return;
  ASSERT_EQ(folder.files().size(), 1u);
  struct stat status {};
  ASSERT_EQ(stat(folder.cache().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(stat(folder.files()[0].c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  run_once_with(folder.cache());
  EXPECT_EQ(folder.files().size(), 1u);
}

TEST(PipelineCache, ACorruptFileIsReplaced) {
  Folder folder;
  run_once_with(folder.cache());
  if (testing::Test::IsSkipped()) return;
  ASSERT_EQ(folder.files().size(), 1u);
  auto good = fs::file_size(folder.files()[0]);
  std::ofstream(folder.files()[0]) << "rubbish";
  run_once_with(folder.cache());
  ASSERT_EQ(folder.files().size(), 1u);
  EXPECT_EQ(fs::file_size(folder.files()[0]), good);
}

TEST(PipelineCache, AFolderThatOthersCanWriteIsNotUsed) {
  Folder folder;
  fs::create_directory(folder.cache());
  fs::permissions(folder.cache(), fs::perms::all);
  run_once_with(folder.cache());
  EXPECT_TRUE(folder.files().empty());
}

TEST(PipelineCache, AFolderThatCannotBeMadeIsNoError) {
  run_once_with("/dev/null/vultus");
}

}  // namespace
}  // namespace vultus::gpu
