#include "host/ops/crop_warp.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

#include "tests/ops/run_op.hpp"
#include "tests/support/picture.hpp"

namespace vultus::test {
namespace {

constexpr int kHeight = 31, kWidth = 43;

/// Channel `c` of a pixel; zero outside.
double pixel(const Tensor& picture, int y, int x, int c) {
  if (y < 0 || x < 0 || y >= kHeight || x >= kWidth) return 0;
  return picture.as<uint8_t>()[static_cast<size_t>(3 * (y * kWidth + x) + c)];
}

/// Mean over begin..end of a signal that is value(i) on i..i+1; no more than `most` long.
double mean_over(double begin, double end, const std::function<double(int)>& value) {
  double sum = 0;
  for (double i = std::floor(begin); i < end; ++i)
    sum += value(static_cast<int>(i)) * (std::min(end, i + 1) - std::max(begin, i));
  return sum / (end - begin);
}

/// By the two neighbours of `at`, pixel centres at integers.
double between(double at, const std::function<double(int)>& value) {
  const double low = std::floor(at), fraction = at - low;
  return (1 - fraction) * value(static_cast<int>(low)) +
         fraction * value(static_cast<int>(low) + 1);
}

/// The crop of noise, by the function behind the operator.
std::vector<float> cropped(const Tensor& picture, const CropRectangle& rectangle,
                           const CropWarp& crop) {
  std::vector<float> out(static_cast<size_t>(crop.planes() * crop.height * crop.width), 7.0f);
  std::vector<double> scratch(static_cast<size_t>(crop_scratch_bytes(crop)) / sizeof(double) + 1);
  crop_warp({picture.as<uint8_t>().data(), kHeight, kWidth, 3 * kWidth}, rectangle, crop,
            reinterpret_cast<std::byte*>(scratch.data()), out.data());
  return out;
}

void expect_like_the_formula(const Tensor& picture, const CropRectangle& r, int64_t size,
                             CropGrid grid) {
  const CropWarp crop{.height = size,
                      .width = size,
                      .grid = grid,
                      .channels = CropWarp::Channels::rgb,
                      .scale = {0.5f, 2, 1},
                      .shift = {1, -3, 0}};
  const std::vector<float> out = cropped(picture, r, crop);
  double worst = 0;
  for (int64_t v = 0; v < size; ++v)
    for (int64_t u = 0; u < size; ++u)
      for (int c = 0; c < 3; ++c) {
        auto at = [&](double centre, double side, int64_t i) {
          return grid == CropGrid::centres
                     ? centre - side / 2 + (double(i) + 0.5) * side / double(size) - 0.5
                     : centre + (double(i) - double(size - 1) / 2.0) * side / double(size);
        };
        const auto k = static_cast<size_t>(c);
        const double sample = between(at(r.y, r.height, v), [&](int y) {
          return between(at(r.x, r.width, u), [&](int x) { return pixel(picture, y, x, 2 - c); });
        });
        const double expected = sample * double{crop.scale[k]} + double{crop.shift[k]};
        const double got = double{out[static_cast<size_t>((c * size + v) * size + u)]};
        worst = std::max(worst, std::abs(got - expected));
      }
  // Float weights and sums of values up to 510: a few units of the 24th bit.
  EXPECT_LT(worst, 3e-4);
}

TEST(CropWarp, BothGridsMatchTheDoublePrecisionFormulaInsideAndAcrossTheBorder) {
  const Tensor picture = random_picture(kHeight, kWidth, 1);
  for (CropGrid grid : {CropGrid::centres, CropGrid::corners}) {
    expect_like_the_formula(picture, {20.3, 12.7, 20.9, 20.9}, 112, grid);
    expect_like_the_formula(picture, {2.5, 30.1, 33.3, 21}, 64, grid);
    expect_like_the_formula(picture, {30, 20, 200, 200}, 31, grid);
    expect_like_the_formula(picture, {-300, 20, 50, 50}, 8, grid);
  }
}

TEST(CropWarp, GreyWeighsTheChannels) {
  Tensor picture(DType::u8, {3 * kHeight * kWidth});
  for (size_t i = 0; i < picture.as<uint8_t>().size(); ++i)
    picture.as<uint8_t>()[i] = std::array<uint8_t, 3>{10, 100, 200}[i % 3];
  CropWarp crop{.height = 2, .width = 2, .channels = CropWarp::Channels::grey};
  for (float v : cropped(picture, {4, 4, 2, 2}, crop))
    EXPECT_NEAR(double{v}, 0.114 * 10 + 0.587 * 100 + 0.299 * 200, 1e-4);
}

TEST(CropWarp, AveragesWhatEveryPixelCoversWhereItShrinksAndInterpolatesWhereItGrows) {
  constexpr int64_t kRows = 7, kColumns = 6;
  const Tensor picture = random_picture(kHeight, kWidth, 1);
  for (const CropRectangle& r : {CropRectangle{20.5, 14.25, 24, 20}, CropRectangle{3, 29, 33, 17.5},
                                 CropRectangle{-50, 10, 8, 8}, CropRectangle{21, 15, 400, 300},
                                 CropRectangle{21, 15, 5, 25}, CropRectangle{21, 30, 25, 5}}) {
    const Tensor out =
        run("CropWarp", {{"height", kRows}, {"width", kColumns}, {"filter", std::string("area")}},
            operands(picture.clone(), picture_size(kHeight, kWidth),
                     floats({1, 4}, {float(r.x), float(r.y), float(r.width), float(r.height)})));
    ASSERT_EQ(out.shape(), (Shape{1, 3, kRows, kColumns}));
    auto along = [](double middle, double side, int64_t size, int64_t u,
                    const std::function<double(int)>& value) {
      const double step = side / double(size), begin = middle - side / 2 + double(u) * step;
      return side > double(size) ? mean_over(begin, begin + step, value)
                                 : between(begin + step / 2 - 0.5, value);
    };
    for (int c = 0; c < 3; ++c)
      for (int64_t v = 0; v < kRows; ++v)
        for (int64_t u = 0; u < kColumns; ++u) {
          const double expected = along(r.y, r.height, kRows, v, [&](int y) {
            return along(r.x, r.width, kColumns, u, [&](int x) { return pixel(picture, y, x, c); });
          });
          EXPECT_NEAR(double{out.as<float>()[static_cast<size_t>((c * kRows + v) * kColumns + u)]},
                      expected, 1e-3)
              << r.x << " " << r.width << ": " << c << " " << v << " " << u;
        }
  }
}

TEST(CropWarp, TheWholePictureIsCopiedAndNormalised) {
  const Tensor picture = random_picture(5, 7, 2, 11);
  const Tensor out =
      run("CropWarp",
          {{"height", int64_t{5}},
           {"width", int64_t{7}},
           {"scale", std::vector<float>{1, 2, 0.5f}},
           {"shift", std::vector<float>{-104, 0, 1}}},
          operands(picture.clone(), picture_size(5, 7), floats({1, 4}, {3.5f, 2.5f, 7, 5})));
  const std::array<float, 3> scale{1, 2, 0.5f}, shift{-104, 0, 1};
  for (size_t c = 0; c < 3; ++c)
    for (size_t i = 0; i < 35; ++i)
      EXPECT_EQ(out.as<float>()[35 * c + i],
                float(picture.as<uint8_t>()[3 * i + c]) * scale[c] + shift[c]);
}

TEST(CropWarp, AMirroredPictureKeepsOneSideReflectsItAndFadesInTheSeam) {
  Tensor picture = random_picture(kHeight, kWidth, 4);
  const PicturePixels pixels{picture.as<uint8_t>().data(), kHeight, kWidth, 3 * kWidth};
  // The line x = 20, its normal towards smaller x.
  for (int side : {1, -1}) {
    const MirrorLine line{20, 3, -1, 0, side};
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x) {
        const double t = side * (20 - x), weight = std::clamp(0.5 + t / 6, 0.0, 1.0);
        const int from = std::clamp(40 - x, 0, kWidth - 1);
        const std::array<float, 3> got = mirrored_pixel(pixels, line, y, x);
        for (int c = 0; c < 3; ++c) {
          const double own = pixel(picture, y, x, c), other = pixel(picture, y, from, c);
          const double expected = std::floor(other + weight * (own - other) + 0.5);
          // In the seam a half may be rounded either way.
          EXPECT_NEAR(double{got[static_cast<size_t>(c)]}, expected,
                      weight > 0 && weight < 1 ? 1 : 0)
              << x << " " << y;
        }
      }
  }
}

TEST(CropWarp, LinesThatAreNotNumbersMirrorNothing) {
  Tensor picture = random_picture(kHeight, kWidth, 4);
  const PicturePixels pixels{picture.as<uint8_t>().data(), kHeight, kWidth, 3 * kWidth};
  const double nan = std::numeric_limits<double>::quiet_NaN(), far = 1e300;
  for (const MirrorLine& line : {MirrorLine{nan, 0, 1, 0, 1}, MirrorLine{0, 0, nan, 0, 1},
                                 MirrorLine{far, 0, far, 0, -1}, MirrorLine{5, 5, 1, 0, 0}})
    EXPECT_EQ(double{mirrored_pixel(pixels, line, 7, 9)[1]}, pixel(picture, 7, 9, 1));
}

TEST(CropWarp, RectanglesThatAreNotNumbersAndPicturesWithoutPixelsGiveZeros) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  for (const char* filter : {"bilinear", "area"}) {
    const Attributes attributes{
        {"height", int64_t{3}}, {"width", int64_t{2}}, {"filter", std::string(filter)}};
    const Tensor out = run("CropWarp", attributes,
                           operands(random_picture(4, 5, 3), picture_size(4, 5),
                                    floats({6, 4}, {nan,      2,         4,        4,    //
                                                    2,        2,         nan,      nan,  //
                                                    infinity, 2,         4,        4,    //
                                                    2,        -infinity, 4,        4,    //
                                                    2,        2,         infinity, 4,    //
                                                    3e38f,    2,         3e38f,    3e38f})));
    for (float v : out.as<float>())
      EXPECT_EQ(v, 0);
    const Tensor empty =
        run("CropWarp", attributes,
            operands(random_picture(1, 1, 3), picture_size(0, 5), floats({1, 4}, {1, 1, 2, 2})));
    for (float v : empty.as<float>())
      EXPECT_EQ(v, 0);
  }
}

TEST(CropWarp, EachRectangleIsOfItsPicture) {
  // Odd sizes, so that pictures begin at any byte.
  for (auto [height, width] : {std::pair{5, 7}, {1, 1}, {3, 11}})
    for (const char* filter : {"bilinear", "area"}) {
      constexpr int kPictures = 3;
      const Tensor pictures = random_pictures(kPictures, height, width, 5, 2);
      const Attributes attributes{
          {"height", int64_t{4}}, {"width", int64_t{3}}, {"filter", std::string(filter)}};
      const auto h = static_cast<float>(height), w = static_cast<float>(width);
      for (int number : {2, 0, 1}) {
        const auto each = static_cast<size_t>(picture_bytes(height, width));
        const auto from = pictures.as<uint8_t>().subspan(static_cast<size_t>(number) * each, each);
        const Tensor expected = run(
            "CropWarp", attributes,
            operands(Tensor::of<uint8_t>({static_cast<int64_t>(each)}, from),
                     picture_size(height, width), floats({1, 4}, {w / 2, h / 2, w + 1, h + 9})));
        const Tensor got =
            run("CropWarp", attributes,
                operands(pictures.clone(), picture_size(height, width),
                         floats({2, 5}, {w / 2, h / 2, w, h, 0,  //
                                         w / 2, h / 2, w + 1, h + 9, static_cast<float>(number)})));
        const auto second = got.as<float>().subspan(got.as<float>().size() / 2);
        EXPECT_TRUE(std::ranges::equal(second, expected.as<float>())) << number;
      }
    }
}

TEST(CropWarp, APictureThatIsNotThereGivesZeros) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  // Three pictures and a piece of a fourth.
  std::vector<float> rectangles;
  const std::vector<float> bad{-1, -0.5f, 3, 1e9f, 3e38f, -3e38f, nan, infinity, -infinity};
  for (float number : bad)
    rectangles.insert(rectangles.end(), {2, 2, 4, 4, number});
  const auto count = static_cast<int64_t>(bad.size());
  const Tensor out =
      run("CropWarp", {{"height", int64_t{3}}, {"width", int64_t{2}}},
          operands(random_pictures(3, 4, 5, 6, 59), picture_size(4, 5),
                   Tensor::of<float>({count, 5}, std::span<const float>(rectangles))));
  for (float v : out.as<float>())
    EXPECT_EQ(v, 0);
}

TEST(CropWarp, SizesThatDoNotFitThePictureAndWrongAttributesAreRefused) {
  auto refused = [](Attributes attributes, Tensor size) {
    return refusal(
        "CropWarp", std::move(attributes),
        operands(random_picture(4, 5, 3), std::move(size), floats({1, 4}, {1, 1, 2, 2})));
  };
  const Attributes good{{"height", int64_t{2}}, {"width", int64_t{2}}};
  EXPECT_EQ(refused(good, picture_size(4, 5)), "");
  expect_in("does not fit", refused(good, picture_size(5, 5)));
  expect_in("does not fit", refused(good, picture_size(-1, 5)));
  expect_in("does not fit", refused(good, picture_size(2147483647, 2147483647)));
  auto with = [&](const char* key, Attribute value) {
    Attributes attributes = good;
    attributes[key] = std::move(value);
    return refused(attributes, picture_size(4, 5));
  };
  expect_in("mirrors",
            refusal("CropWarp", good,
                    operands(random_picture(4, 5, 3), picture_size(4, 5),
                             floats({1, 4}, {1, 1, 2, 2}), floats({1, 4}, {0, 0, 1, 0}))));
  expect_in("number of the picture", refusal("CropWarp", good,
                                             operands(random_picture(4, 5, 3), picture_size(4, 5),
                                                      floats({1, 6}, {1, 1, 2, 2, 0, 0}))));
  expect_in("height 0", with("height", int64_t{0}));
  expect_in("channels", with("channels", std::string("cmyk")));
  expect_in("filter", with("filter", std::string("cubic")));
  expect_in("scale", with("scale", std::vector<float>{1, 2}));
  expect_in("scale must be a list of floats, not a text", with("scale", std::string("abc")));
  expect_in("shift must be a list of floats, not an integer", with("shift", int64_t{3}));
  expect_in("height must be an integer, not a float", with("height", 8.0f));
  expect_in("filter must be a text, not an integer", with("filter", int64_t{1}));
  EXPECT_EQ(refused({}, picture_size(4, 5)).find("height 0") != std::string::npos, true);
}

}  // namespace
}  // namespace vultus::test
