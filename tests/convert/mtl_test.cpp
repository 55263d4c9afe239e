// No checkpoint of MTL may be shared, so one is made of the ONNX file's numbers: the layers' names
// are the checkpoint's, and each batch norm that the exporter folded is taken out of its
// convolution again.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "models/convert/convert.hpp"
#include "tests/convert/run_network.hpp"
#include "tests/convert/valid_onnx.hpp"
#include "tests/support/torch_file.hpp"

namespace vultus::test {
namespace {

using State = std::map<std::string, Tensor>;

struct Folded {
  std::string conv, norm;  ///< norm empty: the convolution has a bias of its own
};

/// The backbone's convolutions in the order they run.
std::vector<Folded> backbone() {
  std::vector<Folded> layers{{"conv_stem", "bn1"}};
  const int repeats[] = {1, 2, 2, 3, 3, 4, 1};
  for (int stage = 0; stage < 7; ++stage)
    for (int i = 0; i < repeats[stage]; ++i) {
      const std::string block = fmt::format("blocks.{}.{}.", stage, i);
      const bool first = stage == 0;
      if (!first) layers.push_back({block + "conv_pw", block + "bn1"});
      layers.push_back({block + "conv_dw", block + (first ? "bn1" : "bn2")});
      layers.push_back({block + "se.conv_reduce", ""});
      layers.push_back({block + "se.conv_expand", ""});
      layers.push_back({block + (first ? "conv_pw" : "conv_pwl"), block + (first ? "bn2" : "bn3")});
    }
  layers.push_back({"conv_head", "bn2"});
  return layers;
}

class MultitaskCheckpoint {
 public:
  explicit MultitaskCheckpoint(const std::string& path) {
    onnx::ModelProto model;
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(model.ParseFromIstream(&file));
    for (const onnx::TensorProto& proto : model.graph().initializer())
      given_.emplace(proto.name(), tensor_of(proto));
    add_backbone(model.graph());
    for (const auto& [from, to] : {std::pair("fe", "fc_emotion"),
                                   {"fg", "fc_gaze"},
                                   {"fa", "fc_au"},
                                   {"em", "emotion_classifier"},
                                   {"ga", "gaze_regressor"}})
      copy_linear(from, to);
    for (int i = 0; i < 8; ++i)
      copy_linear(fmt::format("au.lin.{}", i), fmt::format("au_regressor.class_linears.{}", i));
    for (const char* part : {"sc", "gnn.U.bias", "gnn.V.bias", "gnn.bnv.weight", "gnn.bnv.bias",
                             "gnn.bnv.running_mean", "gnn.bnv.running_var"})
      copy(fmt::format("au.{}", part), fmt::format("au_regressor.{}", part));
    state.emplace("au_regressor.gnn.bnv.num_batches_tracked", Tensor(DType::i64, {}));
    // Linears of several rows were turned by the exporter.
    turn("onnx::MatMul_970", "au_regressor.gnn.V.weight");
    turn("onnx::MatMul_971", "au_regressor.gnn.U.weight");
  }

  State state;

 private:
  static Tensor tensor_of(const onnx::TensorProto& proto) {
    Tensor tensor(DType::f32,
                  Shape(std::span(proto.dims().data(), static_cast<size_t>(proto.dims_size()))));
    EXPECT_EQ(proto.raw_data().size(), tensor.size_bytes()) << proto.name();
    std::memcpy(tensor.bytes(), proto.raw_data().data(), proto.raw_data().size());
    return tensor;
  }
  const Tensor& constant(const std::string& name) const { return given_.at(name); }
  void copy(const std::string& from, const std::string& to) {
    state.emplace(to, constant(from).clone());
  }
  void copy_linear(const std::string& from, const std::string& to) {
    copy(from + ".weight", to + ".weight");
    copy(from + ".bias", to + ".bias");
  }
  void turn(const std::string& from, const std::string& to) {
    const Tensor& given = constant(from);
    const auto rows = static_cast<size_t>(given.shape()[0]);
    Tensor turned(DType::f32, given.shape());
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < rows; ++j)
        turned.as<float>()[i * rows + j] = given.as<float>()[j * rows + i];
    state.emplace(to, std::move(turned));
  }

  void add_backbone(const onnx::GraphProto& graph) {
    const std::vector<Folded> layers = backbone();
    size_t next = 0;
    for (const onnx::NodeProto& node : graph.node()) {
      if (node.op_type() != "Conv") continue;
      ASSERT_LT(next, layers.size());
      const Folded& layer = layers[next++];
      const Tensor &weight = constant(node.input(1)), &bias = constant(node.input(2));
      if (layer.norm.empty()) {
        state.emplace("base_model." + layer.conv + ".weight", weight.clone());
        state.emplace("base_model." + layer.conv + ".bias", bias.clone());
      } else {
        unfold("base_model." + layer.conv, "base_model." + layer.norm, weight, bias);
      }
    }
    ASSERT_EQ(next, layers.size());
  }

  /// A convolution with that weight and bias, as one without bias and a batch norm of any numbers.
  void unfold(const std::string& conv, const std::string& norm, const Tensor& weight,
              const Tensor& bias) {
    const size_t channels = bias.as<float>().size(), row = weight.as<float>().size() / channels;
    Tensor w = weight.clone(), gamma = uniform(channels, 0.5f, 1.5f), beta = bias.clone(),
           mean = uniform(channels, -0.5f, 0.5f), variance = uniform(channels, 0.5f, 2);
    for (size_t c = 0; c < channels; ++c) {
      const double scale =
          double{gamma.as<float>()[c]} / std::sqrt(double{variance.as<float>()[c]} + 1e-3);
      for (size_t i = 0; i < row; ++i) {
        float& value = w.as<float>()[c * row + i];
        value = static_cast<float>(value / scale);
      }
      beta.as<float>()[c] = static_cast<float>(bias.as<float>()[c] + mean.as<float>()[c] * scale);
    }
    state.emplace(conv + ".weight", std::move(w));
    state.emplace(norm + ".weight", std::move(gamma));
    state.emplace(norm + ".bias", std::move(beta));
    state.emplace(norm + ".running_mean", std::move(mean));
    state.emplace(norm + ".running_var", std::move(variance));
    state.emplace(norm + ".num_batches_tracked", Tensor(DType::i64, {}));
  }
  Tensor uniform(size_t count, float low, float high) {
    return random_tensor({static_cast<int64_t>(count)}, ++seed_, low, high);
  }

  State given_;  ///< the file's initialisers
  uint32_t seed_ = 0;
};

/// The checkpoint is written and converted once.
class ConvertMultitask : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string model = shared("models/mtl_efficientnet_b0_224_seeded.onnx");
    if (model.empty()) return;
    const std::string path = testing::TempDir() + "vultus-mtl.pth";
    write_torch_file(path, MultitaskCheckpoint(model).state, "state_dict");
    converted_ = new Result(convert::convert_checkpoint(path));
    std::filesystem::remove(path);
  }
  static void TearDownTestSuite() {
    delete converted_;
    converted_ = nullptr;
  }
  void SetUp() override {
    VULTUS_NEED_SHARED(model, "models/mtl_efficientnet_b0_224_seeded.onnx");
    model_ = model;
    ASSERT_TRUE(converted_);
    ASSERT_TRUE(*converted_) << converted_->error().what;
  }

  static Result<convert::Converted>* converted_;
  std::string model_;
};
Result<convert::Converted>* ConvertMultitask::converted_ = nullptr;

TEST_F(ConvertMultitask, EqualsTheExport) {
  VULTUS_NEED_SHARED(npz, "reference/mtl_efficientnet_b0_224_seeded.astronaut.npz");
  const convert::Converted& converted = **converted_;
  EXPECT_EQ(converted.kind, "mtl");
  EXPECT_EQ(converted.parameters, 25'346'454);
  EXPECT_TRUE(converted.notes.empty());
  expect_valid_onnx(converted.onnx);
  Outputs reference = read_npz(npz);
  const Tensor input = std::move(reference.extract("input").mapped());
  const Outputs got = run_bytes(converted.onnx, input);
  expect_equal(got, run_file(model_, input));
  expect_equal(got, reference);
}

TEST_F(ConvertMultitask, ABatchIsItsSamples) {
  const convert::Converted& converted = **converted_;
  const Tensor both = random_tensor({2, 3, 224, 224}, 7);
  Tensor second(DType::f32, {1, 3, 224, 224});
  std::ranges::copy(both.as<float>().subspan(3 * 224 * 224), second.as<float>().begin());
  const Outputs pair = run_bytes(converted.onnx, both), one = run_bytes(converted.onnx, second);
  for (const auto& [name, values] : one) {
    const auto count = static_cast<size_t>(values.shape()[1]);
    const auto last = pair.at(name).as<float>().subspan(count);
    EXPECT_LE(relative_difference(Tensor::of<float>(values.shape(), last), values), 1e-5) << name;
  }
}

}  // namespace
}  // namespace vultus::test
