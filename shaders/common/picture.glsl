// 8-bit BGR pictures of one size as packed bytes, one behind the other, rows of 3 * width bytes without gaps. Declare before:
// `uint pictures[]`, `int size[]` (height, width), `capacity` (bytes of the buffer).
#include "common/finite.glsl"

struct Picture { int height, width; uint begin; };  // begin: its first byte

// The picture of that number; one without pixels where the buffer does not hold it, or sizes are negative.
Picture picture_of(float number) {
  const Picture none = Picture(0, 0, 0u);
  if (size[0] < 1 || size[1] < 1 || uint(size[1]) > capacity / 3u) return none;
  uint row = 3u * uint(size[1]);
  if (uint(size[0]) > capacity / row) return none;
  uint bytes = row * uint(size[0]), count = capacity / bytes;
  if (!finite(number) || number < 0.0 || number >= float(count)) return none;
  return Picture(size[0], size[1], min(uint(number), count - 1u) * bytes);
}

float byte_at(uint i) {
  return float((pictures[i >> 2] >> (8u * (i & 3u))) & 255u);
}

// B, G, R of a pixel that lies in the picture; the nearest that does where it would not.
vec3 pixel_at(Picture s, int y, int x) {
  uint i = s.begin + 3u * (uint(clamp(y, 0, s.height - 1)) * uint(s.width) + uint(clamp(x, 0, s.width - 1)));
  return vec3(byte_at(i), byte_at(i + 1u), byte_at(i + 2u));
}
