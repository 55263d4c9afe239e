// What a row of RetinaFace's outputs means: host/ops/retinaface_decode.cpp is the reference. Declare before: `SCALAR loc[]`,
// `SCALAR conf[]`, and the picture's `height` and `width`.
#include "common/finite.glsl"

// Middle x, y and size of a prior, in pixels.
vec3 prior_at(uint i) {
  uint step_ = 8u, small = 16u;
  for (int level = 0; level < 2; ++level) {
    uint here = 2u * ((height + step_ - 1u) / step_) * ((width + step_ - 1u) / step_);
    if (i < here) break;
    i -= here;
    step_ *= 2u;
    small *= 4u;
  }
  uint across = (width + step_ - 1u) / step_;
  uint cell = i / 2u;
  return vec3((float(cell % across) + 0.5) * float(step_), (float(cell / across) + 0.5) * float(step_),
              float(small * (1u + (i & 1u))));
}

// x1, y1, x2, y2
vec4 box_of(uint i) {
  vec3 prior = prior_at(i);
  vec2 middle = prior.xy + vec2(float(loc[4u * i]), float(loc[4u * i + 1u])) * 0.1 * prior.z;
  vec2 half_ = 0.5 * prior.z * exp(vec2(float(loc[4u * i + 2u]), float(loc[4u * i + 3u])) * 0.2);
  return vec4(middle - half_, middle + half_);
}

// The score, and what tells scores apart that round to the same: both large is better.
vec2 key_of(uint i) {
  float other = float(conf[2u * i]), face = float(conf[2u * i + 1u]);
  return face > 0.5 ? vec2(1.0 - other, -other) : vec2(face, face - 1.0);
}
