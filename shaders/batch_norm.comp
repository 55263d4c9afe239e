#version 450
// y = activation(scale * x + shift) per channel.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"

layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const bool kLinear = false;  // row-major, a thread per element; else nhwc8, a thread per group
layout(constant_id = 1) const uint kActivation = 0;

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 0) readonly buffer InputScalars { SCALAR x_scalars[]; };
layout(std430, binding = 1) readonly buffer Scale { vec4 scale[]; };
layout(std430, binding = 1) readonly buffer ScaleScalars { float scale_scalars[]; };
layout(std430, binding = 2) readonly buffer Shift { vec4 shift[]; };
layout(std430, binding = 2) readonly buffer ShiftScalars { float shift_scalars[]; };
layout(std430, binding = 3) writeonly buffer Output { GROUP y[]; };
layout(std430, binding = 3) writeonly buffer OutputScalars { SCALAR y_scalars[]; };

layout(push_constant) uniform Push {
  uint threads;
  uint channels;
  uint inner;  // linear: elements that share a channel's numbers
  float alpha, beta;
};

void main() {
  uint id = thread_index();
  if (id >= threads) return;
  if (kLinear) {
    uint c = id / inner % channels;
    float v = float(x_scalars[id]) * scale_scalars[c] + shift_scalars[c];
    y_scalars[id] = SCALAR(activate1(v, kActivation, alpha, beta));
  } else {
    uint groups = (channels + 7u) / 8u;
    uint g = id % groups;
    uint at = 2u * g;
    Group v = LOAD_GROUP(x, id);
    v = Group(v.lo * scale[at] + shift[at], v.hi * scale[at + 1u] + shift[at + 1u]);
    v = Group(activate(v.lo, kActivation, alpha, beta), activate(v.hi, kActivation, alpha, beta));
    STORE_GROUP(y, id, mask_group(v, g, channels));
  }
}
