// An 8-bit BGR picture as packed bytes, rows of 3 * width bytes without gaps. Declare before: `uint picture[]`, `int size[]`
// (height, width), `capacity` (bytes of the buffer).

// Height and width; 0 where they are negative or do not fit the buffer.
ivec2 picture_size() {
  ivec2 s = ivec2(size[0], size[1]);
  if (s.x < 1 || s.y < 1 || uint(s.y) > capacity / 3u || uint(s.x) > capacity / (3u * uint(s.y))) return ivec2(0);
  return s;
}

bool finite(float x) {
  return (floatBitsToUint(x) & 0x7f800000u) != 0x7f800000u;
}

float byte_at(uint i) {
  return float((picture[i >> 2] >> (8u * (i & 3u))) & 255u);
}

// B, G, R of a pixel that lies in the picture; the nearest that does where it would not.
vec3 pixel_at(ivec2 s, int y, int x) {
  uint i = 3u * (uint(clamp(y, 0, s.x - 1)) * uint(s.y) + uint(clamp(x, 0, s.y - 1)));
  return vec3(byte_at(i), byte_at(i + 1u), byte_at(i + 2u));
}
