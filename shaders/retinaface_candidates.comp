#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// The priors that give a face: each workgroup lists its own, in any order, and how many they are.
layout(local_size_x = 256) in;
layout(std430, binding = 0) readonly buffer Loc { SCALAR loc[]; };          // [priors, 4]
layout(std430, binding = 1) readonly buffer Conf { SCALAR conf[]; };        // [priors, 2]
layout(std430, binding = 2) writeonly buffer Found { uint found[]; };       // 256 for each workgroup
layout(std430, binding = 3) writeonly buffer Counts { uint counts[]; };
layout(push_constant) uniform Push {
  uint priors, height, width;
  float threshold, rest;  // of the score; 1 - threshold
};
#include "common/retinaface.glsl"
shared uint count;

bool is_face(uint i) {
  float other = float(conf[2u * i]), face = float(conf[2u * i + 1u]);
  if (face > 0.5) {
    if (!finite(other) || !(other < rest)) return false;
  } else if (!finite(face) || !(face > threshold)) {
    return false;
  }
  vec4 box = box_of(i);
  return finite(box.x) && finite(box.y) && finite(box.z) && finite(box.w);
}

void main() {
  uint i = gl_GlobalInvocationID.x;
  if (gl_LocalInvocationID.x == 0u) count = 0u;
  barrier();
  if (i < priors && is_face(i)) found[256u * gl_WorkGroupID.x + atomicAdd(count, 1u)] = i;
  barrier();
  if (gl_LocalInvocationID.x == 0u) counts[gl_WorkGroupID.x] = count;
}
