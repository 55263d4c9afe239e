#include "host/run/random_input.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <span>

namespace vultus {

namespace {

constexpr uint32_t kSeed = 20261121;

/// The first CropWarp that reads the value, and as which input.
struct CropReader {
  const Node* node = nullptr;
  size_t input = 0;
};

CropReader crop_reader(const Graph& graph, ValueId value) {
  for (const Node& node : graph.nodes)
    if (node.op == "CropWarp")
      if (auto at = std::ranges::find(node.inputs, value); at != node.inputs.end())
        return {&node, static_cast<size_t>(at - node.inputs.begin())};
  return {};
}

struct PictureSize {
  int32_t height = 0, width = 0;
};

/// The node's where it is a constant, else the largest of about 16:9 that fits the picture.
PictureSize size_of_picture(const Graph& graph, const Node& crop) {
  if (const Tensor* size = graph.constant(crop.inputs[1]))
    return {size->as<int32_t>()[0], size->as<int32_t>()[1]};
  const int64_t pixels = graph.shape(crop.inputs[0]).elements() / 3;
  const auto width = static_cast<int64_t>(std::sqrt(static_cast<double>(pixels) * 16 / 9));
  const int64_t fitting = std::clamp<int64_t>(width, std::min<int64_t>(pixels, 1), 1 << 14);
  const int64_t height = fitting > 0 ? std::min<int64_t>(pixels / fitting, 1 << 14) : 0;
  return {static_cast<int32_t>(height), static_cast<int32_t>(fitting)};
}

void fill_noise(std::span<uint8_t> bytes) {
  std::minstd_rand engine(kSeed);
  for (uint8_t& byte : bytes)
    byte = static_cast<uint8_t>(engine() >> 8);
}

/// Middles in the middle half, sides a quarter to a half of the picture's.
void fill_rectangles(std::span<float> numbers, PictureSize size) {
  std::mt19937 engine(kSeed);
  std::uniform_real_distribution<float> middle(0.25f, 0.75f), side(0.25f, 0.5f);
  const auto height = static_cast<float>(size.height), width = static_cast<float>(size.width);
  for (size_t i = 0; i + 4 <= numbers.size(); i += 4) {
    numbers[i] = middle(engine) * width;
    numbers[i + 1] = middle(engine) * height;
    numbers[i + 2] = side(engine) * width;
    numbers[i + 3] = side(engine) * height;
  }
}

/// Upright lines through the middle of the picture; the sides by turns, beginning with none.
void fill_mirrors(std::span<float> numbers, PictureSize size) {
  for (size_t i = 0; i + 5 <= numbers.size(); i += 5) {
    numbers[i] = 0.5f * static_cast<float>(size.width);
    numbers[i + 1] = 0.5f * static_cast<float>(size.height);
    numbers[i + 2] = 1;
    numbers[i + 4] = static_cast<float>(i / 5 % 3 == 2 ? -1 : static_cast<int>(i / 5 % 3));
  }
}

void fill_for_crop(const Graph& graph, const CropReader& reader, Tensor& tensor) {
  const PictureSize size = size_of_picture(graph, *reader.node);
  if (reader.input == 0) fill_noise(tensor.as<uint8_t>());
  if (reader.input == 1) {
    tensor.as<int32_t>()[0] = size.height;
    tensor.as<int32_t>()[1] = size.width;
  }
  if (reader.input == 2) fill_rectangles(tensor.as<float>(), size);
  if (reader.input == 3) fill_mirrors(tensor.as<float>(), size);
}

}  // namespace

Tensor random_input(const Graph& graph, ValueId input) {
  const Value& value = graph.value(input);
  Tensor tensor(value.dtype, value.shape);
  if (const CropReader reader = crop_reader(graph, input); reader.node) {
    fill_for_crop(graph, reader, tensor);
    return tensor;
  }
  std::mt19937 engine(kSeed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  if (value.dtype == DType::f32)
    for (float& x : tensor.as<float>())
      x = uniform(engine);
  return tensor;
}

}  // namespace vultus
