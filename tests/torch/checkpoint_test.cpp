// Files that torch.save wrote, against the numbers PyTorch reads out of them.
#include <zip.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "host/core/half.hpp"
#include "host/core/npy.hpp"
#include "tests/support/support.hpp"
#include "tests/torch/checkpoints.hpp"

namespace vultus::test {

namespace {

/// int16, which parse_npy does not know, as int32.
std::string widened(std::string npy) {
  const size_t type = npy.find("'<i2'");
  if (type == std::string::npos) return npy;
  npy[type + 3] = '4';
  const size_t start = 10 + static_cast<uint8_t>(npy[8]) + 256U * static_cast<uint8_t>(npy[9]);
  std::string wide = npy.substr(0, start);
  for (size_t i = start; i + 1 < npy.size(); i += 2) {
    int16_t value = 0;
    std::memcpy(&value, npy.data() + i, sizeof(value));
    const int32_t element = value;
    wide.append(reinterpret_cast<const char*>(&element), sizeof(element));
  }
  return wide;
}

/// Arrays of expected.npz by "file|tensor".
Tensors read_expected(const std::string& path) {
  Tensors arrays;
  const std::unique_ptr<zip_t, decltype(&zip_discard)> archive(
      zip_open(path.c_str(), ZIP_RDONLY, nullptr), &zip_discard);
  if (!archive) ADD_FAILURE() << "cannot open " << path;
  const zip_int64_t count = archive ? zip_get_num_entries(archive.get(), 0) : 0;
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
    const std::string name = zip_get_name(archive.get(), i, 0);
    const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(
        zip_fopen_index(archive.get(), i, 0), &zip_fclose);
    std::string npy(1 << 16, 0);
    const zip_int64_t size = zip_fread(file.get(), npy.data(), npy.size());
    EXPECT_TRUE(size > 0 && size < (1 << 16)) << name;
    npy.resize(static_cast<size_t>(size));
    auto tensor = parse_npy(bytes_of(widened(npy)), name);
    if (!tensor)
      ADD_FAILURE() << tensor.error().what;
    else
      arrays.emplace(name.substr(0, name.size() - 4), std::move(*tensor));
  }
  return arrays;
}

/// As a checkpoint is loaded: float16 as float32.
Tensor as_loaded(const Tensor& tensor) {
  if (tensor.dtype() != DType::f16) return tensor.clone();
  Tensor wide(DType::f32, tensor.shape());
  const auto* halves = reinterpret_cast<const uint16_t*>(tensor.bytes());
  for (size_t i = 0; i < wide.as<float>().size(); ++i)
    wide.as<float>()[i] = float_from_half(halves[i]);
  return wide;
}

}  // namespace

TEST(Checkpoint, TensorsAreThoseThatPyTorchReads) {
  VULTUS_NEED_SHARED(folder, "models/checkpoints");
  const Tensors expected = read_expected(folder + "/expected.npz");
  std::map<std::string, size_t> counts;
  std::map<std::string, Tensors> files;
  for (const auto& [key, array] : expected) {
    const std::string file = key.substr(0, key.find('|')), name = key.substr(file.size() + 1);
    if (++counts[file] == 1) {
      auto checkpoint = torch::Checkpoint::read(folder + "/" + file);
      ASSERT_TRUE(checkpoint) << checkpoint.error().what;
      auto tensors = load_all(std::move(*checkpoint));
      ASSERT_TRUE(tensors) << tensors.error().what;
      files.emplace(file, std::move(*tensors));
    }
    ASSERT_TRUE(files[file].contains(name)) << key;
    Tensor& tensor = files[file].at(name);
    // expected.npz holds scalars as arrays of one element.
    if (tensor.shape().rank() == 0) tensor.reshape({1});
    EXPECT_TRUE(same(tensor, as_loaded(array))) << key;
  }
  EXPECT_EQ(files.size(), 20U);
  for (const auto& [file, tensors] : files)
    EXPECT_EQ(tensors.size(), counts[file]) << file;
}

TEST(Checkpoint, ScalarsHaveNoAxes) {
  VULTUS_NEED_SHARED(path, "models/checkpoints/int64_zip.pth");
  auto tensors = load_all(contents(path));
  ASSERT_TRUE(tensors) << tensors.error().what;
  EXPECT_EQ(tensors->at("scalar").shape().rank(), 0);
}

TEST(Checkpoint, RetinaFace) {
  VULTUS_NEED_SHARED(path, "models/retinaface_mnet025.pth");
  auto tensors = load_all(contents(path));
  ASSERT_TRUE(tensors) << tensors.error().what;
  EXPECT_EQ(tensors->size(), 300U);
  EXPECT_EQ(tensors->at("body.stage1.0.0.weight").shape(), Shape({8, 3, 3, 3}));
  EXPECT_EQ(tensors->at("body.stage3.1.3.weight").shape(), Shape({256, 256, 1, 1}));
  EXPECT_EQ(tensors->at("LandmarkHead.2.conv1x1.bias").shape(), Shape({20}));
  EXPECT_EQ(tensors->at("ssh1.conv3X3.1.num_batches_tracked").dtype(), DType::i64);
  for (float variance : tensors->at("body.stage1.0.1.running_var").as<float>())
    EXPECT_GT(variance, 0);
}

TEST(Checkpoint, StarIsViewsIntoSharedStorages) {
  VULTUS_NEED_SHARED(path, "models/star98_seeded_pooled.pkl");
  VULTUS_NEED_SHARED(list, "models/checkpoints/star98_keys.json");
  auto checkpoint = torch::Checkpoint::read(path);
  ASSERT_TRUE(checkpoint) << checkpoint.error().what;
  const auto keys = nlohmann::json::parse(contents(list));  // [name, sizes, type], ...
  ASSERT_EQ(keys.size(), 1450U);
  ASSERT_EQ(checkpoint->tensors().size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    const torch::CheckpointTensor& tensor = checkpoint->tensors()[i];
    EXPECT_EQ(tensor.name, "net/" + keys[i][0].get<std::string>());
    const auto sizes = keys[i][1].get<std::vector<int64_t>>();
    EXPECT_EQ(tensor.shape, Shape(std::span<const int64_t>(sizes))) << tensor.name;
    auto values = checkpoint->load(tensor);
    ASSERT_TRUE(values) << values.error().what;
    EXPECT_EQ(values->dtype(), keys[i][2] == "int64" ? DType::i64 : DType::f32) << tensor.name;
  }
  EXPECT_EQ(checkpoint->tensors().front().shape, Shape({64, 6, 7, 7}));
}

TEST(Checkpoint, TheOlderFormatWithStridesThatAreNotRowMajor) {
  auto tensors = load_all(LegacyFile().bytes());
  ASSERT_TRUE(tensors) << tensors.error().what;
  ASSERT_EQ(tensors->size(), 1U);
  EXPECT_TRUE(same(tensors->at("w"), Tensor::of<float>({2, 2}, {1, 3, 2, 4})));
}

TEST(Checkpoint, AnAxisOfOneMayHaveAnyStride) {
  LegacyFile file;
  file.object = "}" + text("w") + LegacyTensor{2, {1, 2}, {INT64_MAX, 1}, 4}.opcodes() + "s";
  auto tensors = load_all(file.bytes());
  ASSERT_TRUE(tensors) << tensors.error().what;
  EXPECT_TRUE(same(tensors->at("w"), Tensor::of<float>({1, 2}, {3, 4})));
}

}  // namespace vultus::test
