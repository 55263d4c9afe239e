// Files that lie: each is refused with a sentence of its own, and nothing crashes.
#include <filesystem>
#include <random>
#include <set>

#include "tests/support/support.hpp"
#include "tests/torch/checkpoints.hpp"

namespace vultus::test {

namespace {

struct Refusal {
  std::string_view file, sentence;  ///< a part of it
};

constexpr Refusal kRefusals[] = {
    {"bad_crc_zip.pth", "record 'fp32_zip/data.pkl' is damaged (CRC error)"},
    {"bad_deep_pickle_zip.pth", "nests dictionaries and lists deeper than 16"},
    {"bad_empty.pth", "is empty; get the file again"},
    {"bad_eval_zip.pth", "names __builtin__.eval, which is no part of a tensor"},
    {"bad_huge_storage_legacy.pth", "has sizes [1073741824, 1073741824], which no tensor can have"},
    {"bad_huge_storage_zip.pth", "has sizes [1152921504606846976], which no tensor can have"},
    {"bad_memo_zip.pth", "refers to object 2147483647, which it never stored"},
    {"bad_missing_record_zip.pth", "lies in storage '7', which the file does not hold"},
    {"bad_offset_zip.pth", "reaches element 19 of a storage that has 16"},
    {"bad_os_system_legacy.pth", "names posix.system, which is no part of a tensor"},
    {"bad_os_system_zip.pth", "names posix.system, which is no part of a tensor"},
    {"bad_overflow_zip.pth", "has sizes [4294967296, 4294967296], which no tensor can have"},
    {"bad_short_record_zip.pth", "should have 1024 elements of 4 bytes but has 64 bytes"},
    {"bad_text.pth", "is a Git LFS pointer"},
    {"bad_truncated_legacy.pth", "should have 216 elements, but the file ends after 764 bytes"},
    {"bad_truncated_zip.pth", "is a damaged or truncated zip file"},
    {"bad_wrong_size_zip.pth", "reaches element 4095 of a storage that has 16"},
    {"bad_zip_slip.pth", "lies in storage '../../../outside', which the file does not hold"},
};

Result<Tensors> read_all(const std::string& path) {
  VULTUS_TRY(torch::Checkpoint checkpoint, torch::Checkpoint::read(path));
  return load_all(std::move(checkpoint));
}

void expect_refused(const std::string& file, std::string_view sentence) {
  auto tensors = load_all(file);
  ASSERT_FALSE(tensors) << sentence;
  EXPECT_EQ(tensors.error().code, Errc::bad_model);
  EXPECT_NE(tensors.error().what.find(sentence), std::string::npos) << tensors.error().what;
}

std::string file_of(const LegacyTensor& tensor) {
  LegacyFile file;
  file.object = "}" + text("w") + tensor.opcodes() + "s";
  return file.bytes();
}

std::string file_of(const std::string& object) {
  LegacyFile file;
  file.object = object;
  file.keys = "]";
  return file.bytes();
}

/// Every prefix fails: of the zip format the directory is at the end, of the older one a storage.
void expect_truncation_refused(const std::string& file) {
  ASSERT_TRUE(load_all(file));
  for (size_t size = 0; size < file.size(); ++size) {
    auto tensors = load_all(std::string_view(file).substr(0, size));
    ASSERT_FALSE(tensors) << size << " of " << file.size() << " bytes";
    ASSERT_EQ(tensors.error().code, Errc::bad_model) << size;
  }
}

/// Calls `check` with what each of 2000 files becomes of which one byte is another.
template <class Check>
void flip(const std::string& file, uint32_t seed, const Check& check) {
  std::mt19937 engine(seed);
  for (int i = 0; i < 2000; ++i) {
    std::string changed = file;
    const size_t at = engine() % file.size();
    changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1 + engine() % 255));
    auto tensors = load_all(changed);
    if (!tensors) {
      ASSERT_EQ(tensors.error().code, Errc::bad_model) << i << ", byte " << at;
    }
    check(tensors, at);
  }
}

}  // namespace

TEST(HostileCheckpoint, EachHasItsSentence) {
  VULTUS_NEED_SHARED(folder, "models/checkpoints");
  std::set<std::string> seen, sentences;
  for (const auto& [file, sentence] : kRefusals) {
    const std::string path = folder + "/" + std::string(file);
    auto tensors = read_all(path);
    seen.insert(std::string(file));
    if (tensors) {
      ADD_FAILURE() << file << " is read";
      continue;
    }
    const Error& error = tensors.error();
    EXPECT_EQ(error.code, Errc::bad_model) << file;
    EXPECT_NE(error.what.find(sentence), std::string::npos) << error.what;
    EXPECT_TRUE(error.what.starts_with(path + ": ")) << error.what;
    sentences.insert(error.what.substr(path.size()));
  }
  // Two files name posix.system.
  EXPECT_EQ(sentences.size(), std::size(kRefusals) - 1);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    EXPECT_EQ(name.starts_with("bad_"), seen.contains(name)) << name;
  }
}

TEST(HostileCheckpoint, WhatIsNoFileIsBadInput) {
  const std::string folder = testing::TempDir();
  for (const auto& [path, sentence] :
       {std::pair(folder, "is not a file"), std::pair(folder + "absent.pth", "cannot be opened")}) {
    auto tensors = read_all(path);
    ASSERT_FALSE(tensors) << path;
    EXPECT_EQ(tensors.error().code, Errc::bad_input);
    EXPECT_EQ(tensors.error().what.find(path + ": " + sentence), 0U) << tensors.error().what;
  }
}

TEST(HostileCheckpoint, TruncationAtEveryByteIsRefused) {
  expect_truncation_refused(LegacyFile().bytes());
  VULTUS_NEED_SHARED(folder, "models/checkpoints");
  expect_truncation_refused(contents(folder + "/int64_zip.pth"));
  expect_truncation_refused(contents(folder + "/int64_legacy.pth"));
}

TEST(HostileCheckpoint, AChangedByteOfTheOlderFormatNeverCrashes) {
  size_t refused = 0;
  auto count = [&](const Result<Tensors>& tensors, size_t) { refused += tensors ? 0 : 1; };
  flip(LegacyFile().bytes(), 1, count);
  EXPECT_GT(refused, 1000U);
  VULTUS_NEED_SHARED(folder, "models/checkpoints");
  flip(contents(folder + "/parameter_legacy.pth"), 2, count);
  flip(contents(folder + "/nested_dict_legacy.pth"), 3, count);
}

TEST(HostileCheckpoint, AChangedByteOfAZipFileIsRefusedOrDoesNotMatter) {
  VULTUS_NEED_SHARED(folder, "models/checkpoints");
  for (const char* name : {"/parameter_zip.pth", "/nested_dict_zip.pth"}) {
    const std::string file = contents(folder + name);
    auto whole = load_all(file);
    ASSERT_TRUE(whole) << whole.error().what;
    flip(file, 4, [&](const Result<Tensors>& tensors, size_t at) {
      if (tensors) {
        EXPECT_TRUE(same(*tensors, *whole)) << name << ", byte " << at;
      }
    });
  }
}

TEST(HostileCheckpoint, TensorsThatReachOutOfTheirStorage) {
  expect_refused(file_of(LegacyTensor{1}), "reaches element 4 of a storage that has 4");
  expect_refused(file_of(LegacyTensor{-1}), "negative offset");
  expect_refused(file_of(LegacyTensor{3, {2}, {-1}}), "negative stride");
  expect_refused(file_of(LegacyTensor{0, {3}, {INT64_MAX}}), "reaches element 2^63");
  expect_refused(file_of(LegacyTensor{0, {-2}, {1}}), "which no tensor can have");
  expect_refused(file_of(LegacyTensor{0, {2, 2}, {1}}), "2 sizes but 1 strides");
  expect_refused(file_of(LegacyTensor{0, {1, 1, 1, 1, 1, 1, 1, 1, 1}, {1}}), "9 axes");
  expect_refused(file_of(LegacyTensor{0, {2}, {1}, 5}), "should have 5 elements");
  expect_refused(file_of(LegacyTensor{0, {2}, {1}, INT64_MAX}), "should have");
  expect_refused(file_of(LegacyTensor{0, {1 << 30}, {0}}), "too large");
}

TEST(HostileCheckpoint, NamesAndOpcodesThatNoTensorNeeds) {
  expect_refused(file_of("cos\nsystem\n" + text("true") + "\x85R"), "os.system");
  expect_refused(file_of("ctorch\nfloat32\n)R"), "it calls torch float32");
  expect_refused(file_of("ios\nsystem\n"), "opcode 0x69");
  expect_refused(file_of("ccollections\nOrderedDict\n}R"), "no name");
  expect_refused(file_of("}" + text("w") + text("storage") + "Qs"), "no storage");
  expect_refused(file_of("\x8a\x09" + std::string(9, 1)), "more than 64 bits");
  expect_refused(file_of("h\x05"), "refers to object 5");
  expect_refused(file_of("t"), "a mark is missing");
  expect_refused(file_of("0"), "empty stack");
  expect_refused(file_of("}"), "holds no tensors");
}

TEST(HostileCheckpoint, TheOlderFormatsOtherParts) {
  LegacyFile version, system, keys, twice;
  version.version = integer(1002);
  expect_refused(version.bytes(), "unknown version");
  system.system = "}" + text("little_endian") + "\x89s";
  expect_refused(system.bytes(), "big-endian");
  keys.keys = "]" + text("8") + "a";
  expect_refused(keys.bytes(), "a storage that no tensor uses");
  keys.keys = "]";
  expect_refused(keys.bytes(), "lies in storage '7', which the file does not hold");
  twice.keys = "]" + text("7") + "a" + text("7") + "a";
  expect_refused(twice.bytes(), "ends before storage '7'");
  expect_refused(twice.bytes() + std::string(8, 0), "lists storage '7' twice");
  std::string count = LegacyFile().bytes();
  count[count.size() - 17] = 0x10;  // the highest byte
  expect_refused(count, "storage '7' should have 1152921504606846980 elements");
}

TEST(HostileCheckpoint, CirclesAndRepetitionsEnd) {
  expect_refused(file_of("}q\x01" + text("a") + "h\x01s"), "deeper than 16");
  // A list of a hundred thousand references to one dictionary of as many entries.
  std::string many = "}q\x01(";
  for (int i = 0; i < 100'000; ++i)
    many += "NN";
  many += "u0](";
  for (int i = 0; i < 100'000; ++i)
    many += "h\x01";
  expect_refused(file_of(many + "e"), "over and over");
}

}  // namespace vultus::test
