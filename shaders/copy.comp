#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/move.glsl"
// Strided copy: whatever moves elements without changing them. Steps of the last level at and beyond `valid` (in
// scalars) write zero.
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kMode = kScalar;
layout(constant_id = 1) const bool kToRaw = false;
SOURCE(x, 0)
TARGET(1)
layout(push_constant) uniform Push {
  uint total, rank, valid;
  int from, to;
  uint size[kMaxLevels];
  int source[kMaxLevels];
  int target[kMaxLevels];
};

void main() {
  uint index = thread_index();
  if (index >= total) return;
  int s = from, t = to;
  uint last = 0u;
  for (uint i = rank; i-- > 0u;) {
    uint outer = i == 0u ? 0u : index / size[i];
    uint step = index - outer * size[i];
    if (i + 1u == rank) last = step;
    s += int(step) * source[i];
    t += int(step) * target[i];
    index = outer;
  }
  if (kMode == kGroup) {
    Group v = LOAD_GROUP(x_groups, s);
    store_group(kToRaw, t, mask_group(v, last, valid));
  } else if (kMode == kRawGroup) {
    store_group(kToRaw, t, mask_group(LOAD_RAW_GROUP(x, s), last, valid));
  } else if (kMode == kWord) {
    y_words[t] = last < valid ? x_words[s] : 0u;
  } else {
    float v = 0.0;
    if (last < valid) v = kMode == kRawScalar ? x_raw[s] : float(x_scalars[s]);
    store_scalar(kToRaw, t, v);
  }
}
