#include "host/ops/crop_warp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "host/core/parallel.hpp"
#include "host/ops/op.hpp"

namespace vultus {

namespace {

/// The pixels of one axis that a pixel of the crop is made of: two neighbours with weights, or all
/// of first..last, the weights being the parts of them in begin..end. Weights are 0 outside.
struct Taps {
  int32_t first = 0, last = 0;
  float first_weight = 0, last_weight = 0;
  float begin = 0, end = 0;  ///< relative to `first`; averages only
};

struct Axis {
  double middle, side;
  int64_t size, source;

  double step() const { return side / static_cast<double>(size); }
  bool shrinks() const { return side > static_cast<double>(size); }
};

Taps bilinear(const Axis& axis, CropGrid grid, int64_t u) {
  const auto at_u = static_cast<double>(u), size = static_cast<double>(axis.size);
  const double at = grid == CropGrid::centres
                        ? axis.middle - axis.side / 2 + (at_u + 0.5) * axis.side / size - 0.5
                        : axis.middle + (at_u - (size - 1) / 2) * axis.side / size;
  Taps taps;
  // Far outside, or not a number: both are outside, and the cast would overflow.
  if (!(at > -1 && at < static_cast<double>(axis.source))) return taps;
  const double low = std::floor(at);
  const auto first = static_cast<int32_t>(low);
  const auto fraction = static_cast<float>(at - low);
  taps.first = std::max(first, 0);
  taps.last = std::min(first + 1, static_cast<int32_t>(axis.source) - 1);
  if (first >= 0) taps.first_weight = 1 - fraction;
  if (first + 1 < axis.source) taps.last_weight = fraction;
  return taps;
}

Taps average(const Axis& axis, int64_t u) {
  const double left = axis.middle - axis.side / 2, source = static_cast<double>(axis.source);
  const double begin = std::max(left + static_cast<double>(u) * axis.step(), 0.0);
  const double end = std::min(left + static_cast<double>(u + 1) * axis.step(), source);
  Taps taps;
  if (!(begin < end)) return taps;
  taps.first = static_cast<int32_t>(std::min(std::floor(begin), source - 1));
  taps.last = static_cast<int32_t>(std::min(std::ceil(end), source)) - 1;
  taps.begin = static_cast<float>(begin - taps.first);
  taps.end = static_cast<float>(end - taps.first);
  return taps;
}

void write(const CropWarp& crop, std::array<float, 3> bgr, int64_t at, float* out) {
  if (crop.channels == CropWarp::Channels::grey)
    bgr[0] = 0.114f * bgr[0] + 0.587f * bgr[1] + 0.299f * bgr[2];
  if (crop.channels == CropWarp::Channels::rgb) std::swap(bgr[0], bgr[2]);
  const int64_t area = crop.height * crop.width;
  for (int64_t c = 0; c < crop.planes(); ++c) {
    const auto k = static_cast<size_t>(c);
    out[c * area + at] = bgr[k] * crop.scale[k] + crop.shift[k];
  }
}

std::array<float, 3> bilinear_at(const PicturePixels& picture, const Taps& row,
                                 const Taps& column) {
  const uint8_t* upper = picture.bytes + row.first * picture.stride;
  const uint8_t* lower = picture.bytes + row.last * picture.stride;
  const int64_t left = 3 * int64_t{column.first}, right = 3 * int64_t{column.last};
  std::array<float, 3> sample{};
  for (int64_t c = 0; c < 3; ++c) {
    auto at = [&](const uint8_t* line) {
      return column.first_weight * static_cast<float>(line[left + c]) +
             column.last_weight * static_cast<float>(line[right + c]);
    };
    sample[static_cast<size_t>(c)] = row.first_weight * at(upper) + row.last_weight * at(lower);
  }
  return sample;
}

float covered(const Taps& taps, int32_t i) {
  const auto at = static_cast<float>(i - taps.first);
  return std::min(taps.end, at + 1) - std::max(taps.begin, at);
}

/// Weights of the two forms mixed: an axis that does not shrink has its two neighbours.
float weight(const Taps& taps, bool averaged, int32_t i) {
  if (averaged) return covered(taps, i);
  return (i == taps.first ? taps.first_weight : 0) + (i == taps.last ? taps.last_weight : 0);
}

struct Averages {
  bool rows, columns;
  float scale;  ///< one over what a pixel of the crop covers
};

/// `pixel` gives B, G, R at y, x.
template <class Pixel>
std::array<float, 3> average_at(const Pixel& pixel, const Taps& row, const Taps& column,
                                const Averages& how) {
  std::array<float, 3> sum{};
  for (int32_t y = row.first; y <= row.last; ++y) {
    std::array<float, 3> inner{};
    for (int32_t x = column.first; x <= column.last; ++x) {
      const float w = weight(column, how.columns, x);
      const std::array<float, 3> bgr = pixel(y, x);
      for (size_t c = 0; c < 3; ++c)
        inner[c] += w * bgr[c];
    }
    const float w = weight(row, how.rows, y) * how.scale;
    for (size_t c = 0; c < 3; ++c)
      sum[c] += w * inner[c];
  }
  return sum;
}

void fill(std::span<Taps> taps, const Axis& axis, const CropWarp& crop) {
  for (size_t u = 0; u < taps.size(); ++u)
    taps[u] = crop.area && axis.shrinks() ? average(axis, static_cast<int64_t>(u))
                                          : bilinear(axis, crop.grid, static_cast<int64_t>(u));
}

/// Every pixel is one of the picture: nothing to weigh.
bool is_copy(std::span<const Taps> taps) {
  return std::ranges::all_of(
      taps, [](const Taps& t) { return t.first_weight == 1 && t.last_weight == 0; });
}

std::array<float, 3> pixel_of(const PicturePixels& picture, int64_t y, int64_t x) {
  const uint8_t* at = picture.bytes + y * picture.stride + 3 * x;
  return {float(at[0]), float(at[1]), float(at[2])};
}

void copy_row(const uint8_t* line, std::span<const Taps> columns, const CropWarp& crop, int64_t at,
              float* out) {
  for (size_t u = 0; u < columns.size(); ++u) {
    const uint8_t* pixel = line + 3 * int64_t{columns[u].first};
    write(crop, {float(pixel[0]), float(pixel[1]), float(pixel[2])}, at + static_cast<int64_t>(u),
          out);
  }
}

/// A line beyond this is a mistake, and kernels in float would overflow.
constexpr double kFarAway = 1e9;

/// Bilinear, the border repeated, rounded.
std::array<float, 3> reflected_pixel(const PicturePixels& picture, double y, double x) {
  const double low_y = std::floor(y), low_x = std::floor(x);
  const auto down = static_cast<float>(y - low_y), across = static_cast<float>(x - low_x);
  auto at = [&](double row, double column) {
    return pixel_of(
        picture,
        static_cast<int64_t>(std::clamp(row, 0.0, static_cast<double>(picture.height - 1))),
        static_cast<int64_t>(std::clamp(column, 0.0, static_cast<double>(picture.width - 1))));
  };
  const auto upper_left = at(low_y, low_x), upper_right = at(low_y, low_x + 1);
  const auto lower_left = at(low_y + 1, low_x), lower_right = at(low_y + 1, low_x + 1);
  std::array<float, 3> bgr{};
  for (size_t c = 0; c < 3; ++c) {
    const float upper = upper_left[c] + across * (upper_right[c] - upper_left[c]);
    const float lower = lower_left[c] + across * (lower_right[c] - lower_left[c]);
    bgr[c] = std::floor(upper + down * (lower - upper) + 0.5f);
  }
  return bgr;
}

}  // namespace

std::array<float, 3> mirrored_pixel(const PicturePixels& picture, const MirrorLine& line, int64_t y,
                                    int64_t x) {
  const std::array<float, 3> own = pixel_of(picture, y, x);
  const auto at_x = static_cast<double>(x), at_y = static_cast<double>(y);
  const double t = (at_x - line.x) * line.normal_x + (at_y - line.y) * line.normal_y;
  const double weight = std::clamp(0.5 + line.side * t / double{kMirrorSeam}, 0.0, 1.0);
  if (line.side == 0 || !(std::abs(t) < kFarAway) || weight >= 1) return own;
  const double from_x = at_x - 2 * t * line.normal_x, from_y = at_y - 2 * t * line.normal_y;
  if (!std::isfinite(from_x) || !std::isfinite(from_y)) return own;
  std::array<float, 3> bgr = reflected_pixel(picture, from_y, from_x);
  for (size_t c = 0; c < 3; ++c)
    bgr[c] = std::floor(bgr[c] + static_cast<float>(weight) * (own[c] - bgr[c]) + 0.5f);
  return bgr;
}

int64_t crop_scratch_bytes(const CropWarp& crop) {
  return (crop.height + crop.width) * int64_t{sizeof(Taps)};
}

void crop_warp(const PicturePixels& picture, const CropRectangle& rectangle, const CropWarp& crop,
               std::byte* scratch, float* out, const MirrorLine& mirror) {
  auto* taps = reinterpret_cast<Taps*>(scratch);
  const std::span rows(taps, static_cast<size_t>(crop.height));
  const std::span columns(taps + crop.height, static_cast<size_t>(crop.width));
  const Axis down{rectangle.y, rectangle.height, crop.height, picture.height};
  const Axis across{rectangle.x, rectangle.width, crop.width, picture.width};
  fill(rows, down, crop);
  fill(columns, across, crop);
  const bool averages = crop.area && (down.shrinks() || across.shrinks());
  Averages how{crop.area && down.shrinks(), crop.area && across.shrinks(), 1};
  how.scale =
      static_cast<float>(1 / ((how.rows ? down.step() : 1) * (how.columns ? across.step() : 1)));
  const bool mirrors = mirror.side != 0;
  const bool copies = !mirrors && !averages && is_copy(rows) && is_copy(columns);
  const bool empty = picture.height < 1 || picture.width < 1;
  auto plain = [&](int32_t y, int32_t x) { return pixel_of(picture, y, x); };
  auto mirrored = [&](int32_t y, int32_t x) { return mirrored_pixel(picture, mirror, y, x); };
  auto sample = [&](const Taps& row, const Taps& column) {
    if (empty) return std::array<float, 3>{};
    if (mirrors) return average_at(mirrored, row, column, how);
    return averages ? average_at(plain, row, column, how) : bilinear_at(picture, row, column);
  };
  parallel_for(crop.height, crop.width * 30, [&](int64_t begin, int64_t end) {
    for (int64_t v = begin; v < end; ++v) {
      const Taps& row = rows[static_cast<size_t>(v)];
      const int64_t at = v * crop.width;
      if (copies) {
        copy_row(picture.bytes + row.first * picture.stride, columns, crop, at, out);
        continue;
      }
      for (int64_t u = 0; u < crop.width; ++u)
        write(crop, sample(row, columns[static_cast<size_t>(u)]), at + u, out);
    }
  });
}

namespace {

Result<CropWarp::Channels> channels_of(const Node& node) {
  const std::string name = node.text("channels", "bgr");
  if (name == "bgr") return CropWarp::Channels::bgr;
  if (name == "rgb") return CropWarp::Channels::rgb;
  if (name == "grey") return CropWarp::Channels::grey;
  return fail(node, fmt::format("channels is '{}': must be bgr, rgb or grey", name));
}

Result<void> read_channel(const Node& node, std::string_view key, int64_t planes,
                          std::array<float, 3>& to) {
  const std::vector<float> values = node.reals(key);
  if (values.empty()) return {};
  if (static_cast<int64_t>(values.size()) != planes)
    return fail(node, fmt::format("{} has {} numbers for {} channels", key, values.size(), planes));
  std::ranges::copy(values, to.begin());
  return {};
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(3, 4));
  VULTUS_CHECK(node.expect_type(0, {DType::u8}));
  VULTUS_CHECK(node.expect_type(1, {DType::i32}));
  VULTUS_CHECK(node.expect_type(2, {DType::f32}));
  if (node.shape(0).rank() != 1 || node.shape(1) != Shape{2} || node.shape(2).rank() != 2 ||
      node.shape(2)[1] != 4)
    return node.fail(
        fmt::format("picture {}, size {} and rectangles {} must be [bytes], [2] and "
                    "[crops,4]",
                    node.shape(0).str(), node.shape(1).str(), node.shape(2).str()));
  VULTUS_CHECK(node.expect_type(3, {DType::f32}));
  if (node.has(3) && node.shape(3) != Shape{node.shape(2)[0], 5})
    return node.fail(fmt::format("mirrors {} must be [crops,5]", node.shape(3).str()));
  VULTUS_TRY(CropWarp crop, crop_warp_of(node.node()));
  return node.set(0, DType::f32, {node.shape(2)[0], crop.planes(), crop.height, crop.width});
}

MirrorLine mirror_of(const Eval& node, size_t n) {
  if (!node.has(3)) return {};
  const float* at = node.in[3].as<const float>().data() + 5 * n;
  return {double{at[0]}, double{at[1]}, double{at[2]}, double{at[3]},
          at[4] > 0   ? 1
          : at[4] < 0 ? -1
                      : 0};
}

Result<void> run(Eval& node, const CropWarp& crop) {
  const auto size = node.in[1].as<const int32_t>();
  const PicturePixels picture{node.in[0].as<const uint8_t>().data(), size[0], size[1],
                              3 * int64_t{size[1]}};
  if (size[0] < 0 || size[1] < 0 ||
      (size[1] > 0 && size[0] > node.in[0].shape.elements() / picture.stride))
    return node.fail(fmt::format("a picture of {} rows and {} columns does not fit {} bytes",
                                 size[0], size[1], node.in[0].shape.elements()));
  const auto rectangles = node.in[2].as<const float>();
  float* out = node.out[0].as<float>().data();
  const int64_t elements = crop.planes() * crop.height * crop.width;
  for (size_t n = 0; 4 * n < rectangles.size(); ++n) {
    const CropRectangle rectangle{double{rectangles[4 * n]}, double{rectangles[4 * n + 1]},
                                  double{rectangles[4 * n + 2]}, double{rectangles[4 * n + 3]}};
    crop_warp(picture, rectangle, crop, node.scratch, out + static_cast<int64_t>(n) * elements,
              mirror_of(node, n));
  }
  return {};
}

Result<Prepared> prepare(const Eval& node) {
  VULTUS_TRY(CropWarp crop, crop_warp_of(node.node));
  return Prepared{[crop](Eval& eval) { return run(eval, crop); }, crop_scratch_bytes(crop)};
}

const Register crop_warp_op({.name = "CropWarp",
                             .infer = infer,
                             .prepare = prepare,
                             .limits = "ours: crops of an 8-bit BGR picture"});

}  // namespace

Result<CropWarp> crop_warp_of(const Node& node) {
  CropWarp crop;
  crop.height = node.integer("height", 0);
  crop.width = node.integer("width", 0);
  constexpr int64_t kMost = 1 << 16;
  if (crop.height < 1 || crop.width < 1 || crop.height > kMost || crop.width > kMost)
    return fail(node, fmt::format("height {} and width {} must be 1 to {}", crop.height, crop.width,
                                  kMost));
  const std::string grid = node.text("grid", "centres"), filter = node.text("filter", "bilinear");
  if ((grid != "centres" && grid != "corners") || (filter != "bilinear" && filter != "area"))
    return fail(node, fmt::format("grid '{}' must be centres or corners, filter '{}' bilinear or "
                                  "area",
                                  grid, filter));
  crop.grid = grid == "centres" ? CropGrid::centres : CropGrid::corners;
  crop.area = filter == "area";
  if (crop.area && crop.grid == CropGrid::corners)
    return fail(node, "averages need the grid 'centres'");
  VULTUS_TRY(crop.channels, channels_of(node));
  VULTUS_CHECK(read_channel(node, "scale", crop.planes(), crop.scale));
  VULTUS_CHECK(read_channel(node, "shift", crop.planes(), crop.shift));
  return crop;
}

}  // namespace vultus
