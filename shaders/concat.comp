#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/move.glsl"
// Strided copies from several sources into one target. A workgroup serves one of them.
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kMode = 8u;  // of all parts; 8: each has its own
layout(constant_id = 1) const bool kToRaw = false;
SOURCE(a, 0)
SOURCE(b, 1)
SOURCE(c, 2)
SOURCE(d, 3)
SOURCE(e, 4)
SOURCE(f, 5)
struct Part {
  uint first_thread, mode;
  uint total, rank, valid;  // from here on as in copy.comp
  int from, to;
  uint size[kMaxLevels];
  int source[kMaxLevels];
  int target[kMaxLevels];
};
layout(std430, binding = 6) readonly buffer Parts { Part parts[]; };
TARGET(7)
layout(push_constant) uniform Push { uint count; };

#define OF_EACH(i) \
  switch (part) { \
    case 0u: return LOAD(a, i); \
    case 1u: return LOAD(b, i); \
    case 2u: return LOAD(c, i); \
    case 3u: return LOAD(d, i); \
    case 4u: return LOAD(e, i); \
    default: return LOAD(f, i); \
  }
#define LOAD(name, i) float(name##_scalars[i])
float load_scalar(uint part, int i) { OF_EACH(i) }
#undef LOAD
#define LOAD(name, i) name##_raw[i]
float load_raw(uint part, int i) { OF_EACH(i) }
#undef LOAD
#define LOAD(name, i) name##_words[i]
uint load_word(uint part, int i) { OF_EACH(i) }
#undef LOAD
#define LOAD(name, i) LOAD_RAW_GROUP(name, i)
Group load_raw_group(uint part, int i) { OF_EACH(i) }
#undef LOAD
#define LOAD(name, i) LOAD_GROUP(name##_groups, i)
Group load_group(uint part, int i) { OF_EACH(i) }

void main() {
  uint index = thread_index();
  uint p = 0u;
  while (p + 1u < count && index >= parts[p + 1u].first_thread) ++p;
  index -= parts[p].first_thread;
  if (index >= parts[p].total) return;
  int s = parts[p].from, t = parts[p].to;
  uint rank = parts[p].rank, valid = parts[p].valid, last = 0u;
  for (uint i = rank; i-- > 0u;) {
    uint size = parts[p].size[i];
    uint outer = i == 0u ? 0u : index / size;
    uint step = index - outer * size;
    if (i + 1u == rank) last = step;
    s += int(step) * parts[p].source[i];
    t += int(step) * parts[p].target[i];
    index = outer;
  }
  uint mode = kMode == 8u ? parts[p].mode : kMode;
  if (mode == kGroup) {
    store_group(kToRaw, t, mask_group(load_group(p, s), last, valid));
  } else if (mode == kRawGroup) {
    store_group(kToRaw, t, mask_group(load_raw_group(p, s), last, valid));
  } else if (mode == kWord) {
    y_words[t] = last < valid ? load_word(p, s) : 0u;
  } else {
    float v = 0.0;
    if (last < valid) {
      if (mode == kRawScalar) v = load_raw(p, s);
      else v = load_scalar(p, s);
    }
    store_scalar(kToRaw, t, v);
  }
}
