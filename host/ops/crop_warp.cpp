#include "host/ops/crop_warp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "host/core/parallel.hpp"
#include "host/ops/attribute_types.hpp"
#include "host/ops/crop_taps.hpp"

namespace vultus {

namespace {

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

std::array<float, 3> bilinear_at(const PicturePixels& picture, const CropTaps& row,
                                 const CropTaps& column) {
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

/// Any taps; `pixel` gives B, G, R at y, x.
template <class Pixel>
std::array<float, 3> sum_at(const Pixel& pixel, const CropTaps& row, const CropTaps& column) {
  std::array<float, 3> sum{};
  for (int32_t y = row.first; y <= row.last; ++y) {
    std::array<float, 3> inner{};
    for (int32_t x = column.first; x <= column.last; ++x) {
      const std::array<float, 3> bgr = pixel(y, x);
      for (size_t c = 0; c < 3; ++c)
        inner[c] += column.weight(x) * bgr[c];
    }
    for (size_t c = 0; c < 3; ++c)
      sum[c] += row.weight(y) * inner[c];
  }
  return sum;
}

/// Every pixel is one of the picture: nothing to weigh.
bool is_copy(std::span<const CropTaps> taps) {
  return std::ranges::all_of(
      taps, [](const CropTaps& t) { return t.first_weight == 1 && t.last_weight == 0; });
}

/// What rows of a crop are made of. Each function writes one row, whose first pixel is `at`.
struct Crop {
  const PicturePixels& picture;
  const CropWarp& crop;
  std::span<const CropTaps> columns;
  float* out;

  void zeros(int64_t at) const {
    for (size_t u = 0; u < columns.size(); ++u)
      write(crop, {}, at + static_cast<int64_t>(u), out);
  }
  void copy(const CropTaps& row, int64_t at) const {
    for (const CropTaps& column : columns)
      write(crop, pixel_of(picture, row.first, column.first), at++, out);
  }
  void interpolate(const CropTaps& row, int64_t at) const {
    for (const CropTaps& column : columns)
      write(crop, bilinear_at(picture, row, column), at++, out);
  }
  template <class Pixel>
  void sum(const Pixel& pixel, const CropTaps& row, int64_t at) const {
    for (const CropTaps& column : columns)
      write(crop, sum_at(pixel, row, column), at++, out);
  }
  /// As many columns at a time as a strip holds.
  void average(const CropTaps& row, int64_t at) const {
    constexpr size_t kMost = 256;
    std::array<std::array<float, 3>, kMost> sums;
    for (size_t u = 0; u < columns.size();) {
      size_t end = u;
      while (end < columns.size() && end - u < kMost &&
             columns[end].last - columns[u].first < kCropStrip)
        ++end;
      if (end == u) {  // one column alone is wider
        auto plain = [&](int64_t y, int64_t x) { return pixel_of(picture, y, x); };
        write(crop, sum_at(plain, row, columns[u++]), at++, out);
        continue;
      }
      average_strip(picture, row, columns.subspan(u, end - u), sums.data());
      for (size_t i = 0; u < end; ++u, ++i)
        write(crop, sums[i], at++, out);
    }
  }
};

}  // namespace

bool takes_fewer_bytes(const Node& node) {
  return node.op == "CropWarp";
}

int64_t crop_scratch_bytes(const CropWarp& crop) {
  return (crop.height + crop.width) * int64_t{sizeof(CropTaps)};
}

void crop_warp(const PicturePixels& picture, const CropRectangle& rectangle, const CropWarp& crop,
               std::byte* scratch, float* out, const MirrorLine& mirror) {
  auto* taps = reinterpret_cast<CropTaps*>(scratch);
  const std::span rows(taps, static_cast<size_t>(crop.height));
  const std::span columns(taps + crop.height, static_cast<size_t>(crop.width));
  const CropAxis down{rectangle.y, rectangle.height, crop.height, picture.height};
  const CropAxis across{rectangle.x, rectangle.width, crop.width, picture.width};
  fill_taps(rows, down, crop);
  fill_taps(columns, across, crop);
  const bool empty = picture.height < 1 || picture.width < 1;
  const bool averages = crop.area && across.shrinks(), sums = crop.area && down.shrinks();
  const bool copies = is_copy(rows) && is_copy(columns);
  const Crop to{picture, crop, columns, out};
  auto plain = [&](int64_t y, int64_t x) { return pixel_of(picture, y, x); };
  auto mirrored = [&](int64_t y, int64_t x) { return mirrored_pixel(picture, mirror, y, x); };
  parallel_for(crop.height, crop.width * 30, [&](int64_t begin, int64_t end) {
    for (int64_t v = begin; v < end; ++v) {
      const CropTaps& row = rows[static_cast<size_t>(v)];
      const int64_t at = v * crop.width;
      if (empty)
        to.zeros(at);
      else if (mirror.side != 0)
        to.sum(mirrored, row, at);
      else if (copies)
        to.copy(row, at);
      else if (averages)
        to.average(row, at);
      else if (sums)
        to.sum(plain, row, at);
      else
        to.interpolate(row, at);
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

Result<void> check_types(const Node& node) {
  for (const char* key : {"height", "width"})
    VULTUS_CHECK(expect_attribute<int64_t>(node, key));
  for (const char* key : {"grid", "filter", "channels"})
    VULTUS_CHECK(expect_attribute<std::string>(node, key));
  for (const char* key : {"scale", "shift"})
    VULTUS_CHECK(expect_attribute<std::vector<float>>(node, key));
  return {};
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(3, 4));
  VULTUS_CHECK(node.expect_type(0, {DType::u8}));
  VULTUS_CHECK(node.expect_type(1, {DType::i32}));
  VULTUS_CHECK(node.expect_type(2, {DType::f32}));
  if (node.shape(0).rank() != 1 || node.shape(1) != Shape{2} || node.shape(2).rank() != 2 ||
      (node.shape(2)[1] != 4 && node.shape(2)[1] != 5))
    return node.fail(
        fmt::format("picture {}, size {} and rectangles {} must be [bytes], [2] and "
                    "[crops,4], or [crops,5] with the number of the picture",
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

/// The picture of that number; one without pixels where there is none.
PicturePixels picture_of(const PicturePixels& first, int64_t bytes, float number) {
  const int64_t each = picture_bytes(first.height, first.width);
  const int64_t count = each > 0 ? bytes / each : 0;
  PicturePixels picture = first;
  if (number >= 0 && number < static_cast<float>(count))
    picture.bytes += std::min(static_cast<int64_t>(number), count - 1) * each;
  else
    picture.height = picture.width = 0;
  return picture;
}

Result<void> run(Eval& node, const CropWarp& crop) {
  const auto size = node.in[1].as<const int32_t>();
  const int64_t bytes = node.in[0].shape.elements();
  const PicturePixels first{node.in[0].as<const uint8_t>().data(), size[0], size[1],
                            3 * int64_t{size[1]}};
  if (size[0] < 0 || size[1] < 0 || (size[1] > 0 && size[0] > bytes / first.stride))
    return node.fail(fmt::format("a picture of {} rows and {} columns does not fit {} bytes",
                                 size[0], size[1], bytes));
  const auto columns = static_cast<size_t>(node.in[2].shape[1]);
  const auto rectangles = node.in[2].as<const float>();
  float* out = node.out[0].as<float>().data();
  const int64_t elements = crop.planes() * crop.height * crop.width;
  for (size_t n = 0; columns * n < rectangles.size(); ++n) {
    const auto at = rectangles.subspan(columns * n, columns);
    const CropRectangle rectangle{double{at[0]}, double{at[1]}, double{at[2]}, double{at[3]}};
    crop_warp(picture_of(first, bytes, columns == 5 ? at[4] : 0), rectangle, crop, node.scratch,
              out + static_cast<int64_t>(n) * elements, mirror_of(node, n));
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
                             .limits = "ours: crops of 8-bit BGR pictures"});

}  // namespace

Result<CropWarp> crop_warp_of(const Node& node) {
  VULTUS_CHECK(check_types(node));
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
