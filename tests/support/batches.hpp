#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "host/run/session_pool.hpp"
#include "tests/support/networks.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {

/// Waves, another picture for every sample. White noise would do no network justice: MTL multiplies
/// rounding errors by a thousand on it, by ten on pictures.
inline Tensor wave_picture(const Shape& shape, int64_t sample) {
  Tensor picture(DType::f32, shape);
  auto values = picture.as<float>();
  const int64_t height = shape[2], width = shape[3];
  for (size_t i = 0; i < values.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const auto x = static_cast<float>(at % width), y = static_cast<float>(at / width % height);
    const auto c = static_cast<float>(at / (width * height)), n = static_cast<float>(sample);
    values[i] = std::sin(0.11f * y + n) + std::cos(0.07f * x * (1 + 0.3f * c) + 2 * n);
  }
  return picture;
}

/// A batch of pictures gives what its samples give one by one, within `tolerance` of relative
/// L2 distance. `shapes` binds what the file leaves open, for one sample.
inline void expect_batches(const std::string& model, std::vector<Device*> devices,
                           Precision precision, const std::vector<int64_t>& batches,
                           const std::map<std::string, Shape>& shapes, double tolerance) {
  VULTUS_NEED_SHARED(path, "models/" + model + ".onnx");
  SessionOptions options;
  options.devices = std::move(devices);
  options.precision = precision;
  SessionPool pool(path, options);
  auto single = pool.get(1, shapes);
  ASSERT_TRUE(single) << single.error().what;
  const std::string input = (*single)->input_names()[0];
  const Shape one = (*(*single)->describe(input))->shape;
  std::vector<std::vector<Tensor>> expected;  // by sample, then output
  std::vector<Tensor> samples;
  const int64_t most = *std::max_element(batches.begin(), batches.end());
  for (int64_t n = 0; n < most; ++n) {
    samples.push_back(wave_picture(one, n));
    ASSERT_TRUE((*single)->set_input(input, samples.back().view()));
    auto ran = (*single)->run();
    ASSERT_TRUE(ran) << ran.error().what;
    expected.emplace_back();
    for (size_t i = 0; i < (*single)->output_names().size(); ++i)
      expected.back().push_back((*single)->output(i).clone());
  }
  for (int64_t batch : batches) {
    SCOPED_TRACE(fmt::format("{} batch {}", model, batch));
    auto session = pool.get(batch, shapes);
    ASSERT_TRUE(session) << session.error().what;
    EXPECT_EQ(*session, *pool.get(batch, shapes)) << "compiled once";
    Shape shape = one;
    shape[0] = batch;
    Tensor all(DType::f32, shape);
    for (int64_t n = 0; n < batch; ++n)
      std::memcpy(all.bytes() + static_cast<size_t>(n) * samples[0].size_bytes(),
                  samples[static_cast<size_t>(n)].bytes(), samples[0].size_bytes());
    ASSERT_TRUE((*session)->set_input(input, all.view()));
    auto ran = (*session)->run();
    ASSERT_TRUE(ran) << ran.error().what;
    for (size_t i = 0; i < expected[0].size(); ++i) {
      const Tensor& out = (*session)->output(i);
      ASSERT_EQ(out.shape()[0], batch);
      const size_t size = static_cast<size_t>(out.shape().elements() / batch);
      for (int64_t n = 0; n < batch; ++n)
        EXPECT_LE(relative_l2(out.as<float>().subspan(static_cast<size_t>(n) * size, size),
                              expected[static_cast<size_t>(n)][i].as<float>()),
                  tolerance)
            << (*session)->output_names()[i] << ", sample " << n;
    }
  }
}

}  // namespace vultus::test
