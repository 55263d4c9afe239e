// Modes of copies (gpu/ops/strided.cpp): what a thread moves, + 4 when the source is in the host's form (float32).
const uint kScalar = 0u, kGroup = 1u, kWord = 2u, kRawScalar = 4u, kRawGroup = 5u;

// What is declared for a source: SOURCE(x, 0) gives x_scalars, x_groups, x_words, x_raw, x_quads.
#define SOURCE(name, i) \
  layout(std430, binding = i) readonly buffer Scalars##name { SCALAR name##_scalars[]; }; \
  layout(std430, binding = i) readonly buffer Groups##name { GROUP name##_groups[]; }; \
  layout(std430, binding = i) readonly buffer Words##name { uint name##_words[]; }; \
  layout(std430, binding = i) readonly buffer Raw##name { float name##_raw[]; }; \
  layout(std430, binding = i) readonly buffer Quads##name { vec4 name##_quads[]; };
#define LOAD_RAW_GROUP(name, i) Group(name##_quads[2 * (i)], name##_quads[2 * (i) + 1])

#define TARGET(i) \
  layout(std430, binding = i) writeonly buffer Y { SCALAR y[]; }; \
  layout(std430, binding = i) writeonly buffer YGroups { GROUP y_groups[]; }; \
  layout(std430, binding = i) writeonly buffer YWords { uint y_words[]; }; \
  layout(std430, binding = i) writeonly buffer YRaw { float y_raw[]; }; \
  layout(std430, binding = i) writeonly buffer YQuads { vec4 y_quads[]; }; \
  void store_scalar(bool raw, int i_, float v) { \
    if (raw) y_raw[i_] = v; else y[i_] = SCALAR(v); \
  } \
  void store_group(bool raw, int i_, Group v) { \
    if (raw) { y_quads[2 * i_] = v.lo; y_quads[2 * i_ + 1] = v.hi; } else STORE_GROUP(y_groups, i_, v); \
  }
