// Broadcasting of up to three operands: gpu/ops/elementwise.cpp. Included after storage.glsl and index.glsl.
layout(push_constant) uniform Push {
  uint total, rank;
  uint channels, groups;  // of the output: lanes at and beyond `channels` are zero
  uint splats;            // bit i: operand i is one scalar for all 8 lanes
  float alpha, beta;
  uint size[kMaxLevels];
  int stride[3 * kMaxLevels];
};

// Where each operand lies for output element (or group) `index`.
ivec3 locate(uint index) {
  ivec3 at = ivec3(0);
  for (uint i = rank; i-- > 0u;) {
    uint outer = i == 0u ? 0u : index / size[i];
    int step = int(index - outer * size[i]);
    at += step * ivec3(stride[i], stride[kMaxLevels + i], stride[2 * kMaxLevels + i]);
    index = outer;
  }
  return at;
}

#define LOAD_WIDE(name, bit, i) \
  ((splats & bit) != 0u ? Group(vec4(float(name[i])), vec4(float(name[i]))) : LOAD_GROUP(name##_groups, i))
