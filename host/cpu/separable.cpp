#include "host/cpu/separable.hpp"

#include <omp.h>

#include "host/cpu/depthwise_tile.hpp"
#include "host/cpu/pointwise_tile.hpp"

namespace vultus::cpu {
namespace {

constexpr int64_t kPanel = 2 * kLanes;
// Of the second-level cache, which holds the weights and the rows that are read too.
constexpr int64_t kBufferBytes = 384 << 10;

struct Pointers {
  const float *in, *first_weights, *first_bias, *weights, *bias;
  float *buffer, *out;
};

/// Channels from `panel * 32` on, output rows `first` to `last` of one sample.
struct Task {
  int64_t sample, panel, first, last;
};

template <int Kernel, int Stride>
VULTUS_INLINE void depthwise_rows(const DepthwiseBlock& block, int64_t first, int64_t last) {
  for (int64_t y = first; y < last; ++y)
    depthwise_row<Kernel, Stride>(block, y);
}

VULTUS_SIMD void expand(const PointwisePanel& panel, int64_t vectors, int64_t pixels) {
  if (vectors == 2)
    pointwise_panel<2>(panel, pixels);
  else
    pointwise_panel<1>(panel, pixels);
}

VULTUS_SIMD void filter(const DepthwiseBlock& block, int64_t kernel, int64_t stride, int64_t first,
                        int64_t last) {
  if (kernel == 3 && stride == 1) return depthwise_rows<3, 1>(block, first, last);
  if (kernel == 3) return depthwise_rows<3, 2>(block, first, last);
  if (stride == 1) return depthwise_rows<5, 1>(block, first, last);
  return depthwise_rows<5, 2>(block, first, last);
}

/// `more`: this thread goes on with the next panel.
void run_task(const Separable& s, const Task& task, const Pointers& at, bool more) {
  const int64_t channel = task.panel * kPanel;
  const int64_t vectors = std::min(kPanel, s.channels - channel) / kLanes;
  const int64_t top = std::max<int64_t>(task.first * s.stride - s.pad_top, 0);
  const int64_t bottom = std::min((task.last - 1) * s.stride - s.pad_top + s.kernel, s.in_height);
  const int64_t row = (task.sample * s.in_height + top) * s.in_width;
  expand({.in = at.in + row * s.depth,
          .depth = s.depth,
          .in_pixel = s.depth,
          .in_block = kLanes,
          .weights = at.first_weights + channel * s.depth,
          .bias = at.first_bias + channel,
          .out = at.buffer,
          .out_pixel = vectors * kLanes,
          .activation = s.first_activation,
          .slope = s.first_slope,
          .ahead = more ? vectors * kLanes * s.depth : 0},
         vectors, (bottom - top) * s.in_width);
  for (int64_t v = 0; v < vectors; ++v)
    filter({.in_height = s.in_height,
            .in_width = s.in_width,
            .out_width = s.out_width,
            .pad_top = s.pad_top,
            .pad_left = s.pad_left,
            .in = at.buffer + v * kLanes,
            .first_row = top,
            .in_pixel = vectors * kLanes,
            .weights = at.weights + (channel + v * kLanes) * s.kernel * s.kernel,
            .bias = at.bias + channel + v * kLanes,
            .out = at.out + task.sample * s.out_height * s.out_width * s.channels + channel +
                   v * kLanes,
            .out_pixel = s.channels,
            .activation = s.activation,
            .slope = s.slope},
           s.kernel, s.stride, task.first, task.last);
}

int64_t up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace

void Separable::plan(int64_t threads) {
  strip = out_height;
  auto too_few = [&] { return batch * up(channels, kPanel) * up(out_height, strip) < 3 * threads; };
  auto too_large = [&] { return buffer_floats() * int64_t{sizeof(float)} > kBufferBytes; };
  // A strip computes the rows that its window shares with the next one anew: not below 8.
  while (strip > 8 && (too_large() || too_few()))
    strip = up(strip, 2);
}

int64_t Separable::buffer_floats() const {
  return std::min((strip - 1) * stride + kernel, in_height) * in_width * kPanel;
}

void Separable::run(const float* in, const float* first_weights, const float* first_bias,
                    const float* weights, const float* bias, float* buffers, float* out) const {
  const int64_t panels = up(channels, kPanel), strips = up(out_height, strip);
#pragma omp parallel
  {
    const Pointers at{in,      first_weights, first_bias,
                      weights, bias,          buffers + omp_get_thread_num() * buffer_floats(),
                      out};
    const int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
    const int64_t tasks = batch * panels * strips, end = tasks * (thread + 1) / threads;
    for (int64_t i = tasks * thread / threads; i < end; ++i) {
      const int64_t first = i % strips * strip;
      const bool more = i + 1 < end && (i + 1) % strips == 0 && (i + 1) / strips % panels != 0;
      run_task(*this,
               {.sample = i / (panels * strips),
                .panel = i / strips % panels,
                .first = first,
                .last = std::min(first + strip, out_height)},
               at, more);
    }
  }
}

}  // namespace vultus::cpu
