#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// Gather: the result is dense and linear; the step of level `axis` is looked up in the indices.
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kWords = 0u;
layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };
layout(std430, binding = 0) readonly buffer XWords { int x_words[]; };
layout(std430, binding = 1) readonly buffer Indices { int indices[]; };
layout(std430, binding = 2) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 2) writeonly buffer YWords { int y_words[]; };
layout(push_constant) uniform Push {
  uint total, rank, axis;
  int length;  // of the gathered axis
  uint size[kMaxLevels];
  int stride[kMaxLevels];
};

void main() {
  uint index = thread_index();
  if (index >= total) return;
  uint rest = index;
  int at = 0;
  for (uint i = rank; i-- > 0u;) {
    uint outer = i == 0u ? 0u : rest / size[i];
    int step = int(rest - outer * size[i]);
    if (i == axis) {
      step = indices[step];
      step = clamp(step < 0 ? step + length : step, 0, length - 1);
    }
    at += step * stride[i];
    rest = outer;
  }
  if (kWords == 1u) {
    y_words[index] = x_words[at];
  } else {
    y[index] = x[at];
  }
}
