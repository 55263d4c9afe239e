#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// Crops of an 8-bit picture, resampled and normalised: host/ops/crop_warp.cpp is the reference. A thread makes one pixel.
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(std430, binding = 0) readonly buffer Pictures { uint pictures[]; };
layout(std430, binding = 1) readonly buffer Size { int size[]; };
layout(std430, binding = 2) readonly buffer Rectangles { float rectangles[]; };  // `columns` each: middle x, y, width, height, number of the picture
layout(std430, binding = 3) readonly buffer Mirrors { float lines[]; };  // a point x, y, the normal x, y, the side kept
layout(std430, binding = 4) writeonly buffer Y { GROUP y[]; };
layout(push_constant) uniform Push {
  uint threads, height, width, capacity;
  uint corners, area, channels;  // channels: 0 BGR, 1 RGB, 2 grey
  uint mirrors, columns;  // columns: 4 or 5
  vec4 scale, shift;
};
#include "common/picture.glsl"

// first..last with weights at both ends (bilinear) or begin..end relative to first (averages).
struct Taps { int first, last; float first_weight, last_weight, begin, end; };
const Taps kOutside = Taps(0, -1, 0.0, 0.0, 0.0, 0.0);
const float kFar = 8388608.0;  // from here on float32 has no fractions

// Positions are kept as a whole number and a small rest, so that they are exact far from the origin too.
Taps bilinear(float middle, float side, uint u, uint n, int source) {
  float whole = floor(middle);
  float rest = middle - whole;
  rest += corners == 1u ? (float(u) - 0.5 * float(n - 1u)) * side / float(n)
                        : (float(u) + 0.5) * side / float(n) - 0.5 * side - 0.5;
  if (!finite(rest) || abs(whole) > kFar || abs(rest) > kFar) return kOutside;
  float low = floor(rest);
  float fraction = rest - low;
  int first = int(whole) + int(low);
  if (first < -1 || first >= source) return kOutside;
  return Taps(first, first + 1, first >= 0 ? 1.0 - fraction : 0.0, first + 1 < source ? fraction : 0.0, 0.0, 0.0);
}

Taps average(float middle, float side, uint u, uint n, int source) {
  float whole = floor(middle);
  float rest = middle - whole;
  if (!finite(rest) || !finite(side) || abs(whole) > kFar || side > kFar) return kOutside;
  float begin = rest + float(u) * side / float(n) - 0.5 * side, end = rest + float(u + 1u) * side / float(n) - 0.5 * side;
  begin = max(begin, -whole);
  end = min(end, float(source) - whole);
  if (!(begin < end)) return kOutside;
  float low = floor(begin);
  int first = int(whole) + int(low), last = int(whole) + int(ceil(end)) - 1;
  return Taps(max(first, 0), min(last, source - 1), 0.0, 0.0, begin - low, end - low);
}

bool averages(float side, uint n) {
  return area == 1u && side > float(n);
}

float weight(Taps t, bool averaged, int i) {
  float at = float(i - t.first);
  if (averaged) return min(t.end, at + 1.0) - max(t.begin, at);
  return i == t.first ? t.first_weight : t.last_weight;
}

const float kSeam = 6.0;  // kMirrorSeam
const float kFarAway = 1e9;

// A pixel of the picture made symmetric about line `n`.
vec3 seen_at(Picture s, uint n, int y_, int x) {
  vec3 own = pixel_at(s, y_, x);
  if (mirrors == 0u) return own;
  vec2 normal = vec2(lines[5u * n + 2u], lines[5u * n + 3u]);
  float side = sign(lines[5u * n + 4u]);
  vec2 at = vec2(x, y_);
  float t = dot(at - vec2(lines[5u * n], lines[5u * n + 1u]), normal);
  if (!(abs(side) > 0.5) || !finite(t) || abs(t) >= kFarAway) return own;
  float w = clamp(0.5 + side * t / kSeam, 0.0, 1.0);
  vec2 from = at - 2.0 * t * normal;
  if (w >= 1.0 || !finite(from.x) || !finite(from.y)) return own;
  from = clamp(from, vec2(-1), vec2(s.width, s.height));  // the border is repeated
  ivec2 low = ivec2(floor(from));
  vec2 f = from - floor(from);
  vec3 upper = mix(pixel_at(s, low.y, low.x), pixel_at(s, low.y, low.x + 1), f.x);
  vec3 lower = mix(pixel_at(s, low.y + 1, low.x), pixel_at(s, low.y + 1, low.x + 1), f.x);
  vec3 reflected = floor(mix(upper, lower, f.y) + 0.5);
  return floor(reflected + w * (own - reflected) + 0.5);
}

vec3 sample_at(Picture s, uint n, uint v, uint u) {
  uint at = columns * n;
  float x = rectangles[at], y_ = rectangles[at + 1u];
  float across = rectangles[at + 2u], down = rectangles[at + 3u];
  bool wide = averages(across, width), tall = averages(down, height);
  Taps column = kOutside, row = kOutside;
  if (wide) column = average(x, across, u, width, s.width);
  else column = bilinear(x, across, u, width, s.width);
  if (tall) row = average(y_, down, v, height, s.height);
  else row = bilinear(y_, down, v, height, s.height);
  vec3 sum = vec3(0);
  for (int i = row.first; i <= row.last; ++i) {
    vec3 inner = vec3(0);
    for (int k = column.first; k <= column.last; ++k) inner += weight(column, wide, k) * seen_at(s, n, i, k);
    sum += weight(row, tall, i) * inner;
  }
  if (wide) sum *= float(width) / across;
  if (tall) sum *= float(height) / down;
  return sum;
}

void main() {
  uint index = thread_index();
  if (index >= threads) return;
  uint u = index % width, v = index / width % height, n = index / width / height;
  Picture s = picture_of(columns == 5u ? rectangles[columns * n + 4u] : 0.0);
  vec3 bgr = s.height > 0 ? sample_at(s, n, v, u) : vec3(0);
  vec3 value = channels == 1u ? bgr.zyx : bgr;
  if (channels == 2u) value = vec3(dot(bgr, vec3(0.114, 0.587, 0.299)), 0.0, 0.0);
  value = value * scale.xyz + shift.xyz;
  if (channels == 2u) value.yz = vec2(0);
  STORE_GROUP(y, index, Group(vec4(value, 0.0), vec4(0)));
}
