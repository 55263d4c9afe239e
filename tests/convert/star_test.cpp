// A STAR checkpoint of random numbers against what PyTorch's export of the same numbers gives.
#include "models/convert/convert.hpp"
#include "tests/convert/run_network.hpp"
#include "tests/convert/valid_onnx.hpp"

namespace vultus::test {
namespace {

TEST(ConvertStar, EqualsTheReference) {
  VULTUS_NEED_SHARED(checkpoint, "models/star98_seeded_pooled.pkl");
  VULTUS_NEED_SHARED(npz, "reference/star98_seeded_pooled.obama.npz");
  auto converted = convert::convert_checkpoint(checkpoint);
  ASSERT_TRUE(converted) << converted.error().what;
  Outputs reference = read_npz(npz);
  const Tensor input = std::move(reference.extract("input").mapped());
  expect_equal(run_bytes(converted->onnx, input), reference);
}

TEST(ConvertStar, CountsTheParametersThatRunAndNamesThoseThatDoNot) {
  VULTUS_NEED_SHARED(checkpoint, "models/star98_seeded_pooled.pkl");
  auto converted = convert::convert_checkpoint(checkpoint);
  ASSERT_TRUE(converted) << converted.error().what;
  EXPECT_EQ(converted->kind, "star98");
  EXPECT_EQ(converted->parameters, 13'476'468);
  expect_valid_onnx(converted->onnx);
  ASSERT_EQ(converted->notes.size(), 1U);
  EXPECT_NE(converted->notes[0].find("skip_layer of 57 blocks"), std::string::npos)
      << converted->notes[0];
}

TEST(ConvertStar, ABatchIsItsSamples) {
  VULTUS_NEED_SHARED(checkpoint, "models/star98_seeded_pooled.pkl");
  auto converted = convert::convert_checkpoint(checkpoint);
  ASSERT_TRUE(converted) << converted.error().what;
  const Tensor both = random_tensor({2, 3, 256, 256}, 7);
  Tensor second(DType::f32, {1, 3, 256, 256});
  std::ranges::copy(both.as<float>().subspan(3 * 256 * 256), second.as<float>().begin());
  const Outputs pair = run_bytes(converted->onnx, both), one = run_bytes(converted->onnx, second);
  const auto points = pair.at("landmarks").as<float>().subspan(98 * 2);
  EXPECT_LE(relative_difference(Tensor::of<float>({1, 98, 2}, points), one.at("landmarks")), 1e-5);
}

}  // namespace
}  // namespace vultus::test
