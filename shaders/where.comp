#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// y = condition ? a : b with broadcasting.
layout(local_size_x = 64) in;
#include "common/index.glsl"
#include "common/elementwise.glsl"
layout(constant_id = 0) const uint kWide = 0u;  // a thread takes 8 elements
layout(constant_id = 1) const uint kInts = 0u;
layout(std430, binding = 0) readonly buffer C { SCALAR c[]; };
layout(std430, binding = 0) readonly buffer CGroups { GROUP c_groups[]; };
layout(std430, binding = 1) readonly buffer A { SCALAR a[]; };
layout(std430, binding = 1) readonly buffer AGroups { GROUP a_groups[]; };
layout(std430, binding = 1) readonly buffer AInts { int a_ints[]; };
layout(std430, binding = 2) readonly buffer B { SCALAR b[]; };
layout(std430, binding = 2) readonly buffer BGroups { GROUP b_groups[]; };
layout(std430, binding = 2) readonly buffer BInts { int b_ints[]; };
layout(std430, binding = 3) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 3) writeonly buffer YGroups { GROUP y_groups[]; };
layout(std430, binding = 3) writeonly buffer YInts { int y_ints[]; };

void main() {
  uint index = thread_index();
  if (index >= total) return;
  ivec3 at = locate(index);
  if (kInts == 1u) {
    y_ints[index] = float(c[at.x]) != 0.0 ? a_ints[at.y] : b_ints[at.z];
  } else if (kWide == 0u) {
    // No ternary on halves: that would ask for 16-bit arithmetic.
    if (float(c[at.x]) != 0.0) y[index] = a[at.y];
    else y[index] = b[at.z];
  } else {
    Group condition = LOAD_WIDE(c, 1u, at.x);
    Group u = LOAD_WIDE(a, 2u, at.y);
    Group v = LOAD_WIDE(b, 4u, at.z);
    Group r = Group(mix(v.lo, u.lo, notEqual(condition.lo, vec4(0))),
                    mix(v.hi, u.hi, notEqual(condition.hi, vec4(0))));
    STORE_GROUP(y_groups, index, mask_group(r, index % groups, channels));
  }
}
