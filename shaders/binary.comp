#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"
// y = op(a, b) with broadcasting. Booleans are 0 and 1.
layout(local_size_x = 64) in;
#include "common/index.glsl"
#include "common/elementwise.glsl"
#include "common/power.glsl"
layout(constant_id = 0) const uint kWide = 0u;        // a thread takes 8 elements
layout(constant_id = 1) const uint kOp = 0u;          // gpu/ops/binary.cpp
layout(constant_id = 2) const uint kType = 0u;        // 0 float, 1 int, 2 int compared
layout(constant_id = 3) const uint kActivation = 0u;
layout(std430, binding = 0) readonly buffer A { SCALAR a[]; };
layout(std430, binding = 0) readonly buffer AGroups { GROUP a_groups[]; };
layout(std430, binding = 0) readonly buffer AInts { int a_ints[]; };
layout(std430, binding = 1) readonly buffer B { SCALAR b[]; };
layout(std430, binding = 1) readonly buffer BGroups { GROUP b_groups[]; };
layout(std430, binding = 1) readonly buffer BInts { int b_ints[]; };
layout(std430, binding = 2) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 2) writeonly buffer YGroups { GROUP y_groups[]; };
layout(std430, binding = 2) writeonly buffer YInts { int y_ints[]; };

vec4 apply(vec4 u, vec4 v) {
  switch (kOp) {
    case 0u: return u + v;
    case 1u: return u - v;
    case 2u: return u * v;
    case 3u: return u / v;
    case 4u: return vec4(power(u.x, v.x), power(u.y, v.y), power(u.z, v.z), power(u.w, v.w));
    case 5u: return max(u, v);
    case 6u: return min(u, v);
    case 7u: return mix(u, u * v, lessThan(u, vec4(0)));  // PRelu
    case 8u: return vec4(equal(u, v));
    case 9u: return vec4(greaterThan(u, v));
    case 10u: return vec4(greaterThanEqual(u, v));
    case 11u: return vec4(lessThan(u, v));
    case 12u: return vec4(lessThanEqual(u, v));
    case 13u: return u * v;                               // And
    case 14u: return max(u, v);                           // Or
    default: return vec4(notEqual(u, v));                 // Xor
  }
}

int apply_ints(int u, int v) {
  switch (kOp) {
    case 0u: return u + v;
    case 1u: return u - v;
    case 2u: return u * v;
    case 3u: return v == 0 ? 0 : u / v;
    case 5u: return max(u, v);
    case 6u: return min(u, v);
    case 8u: return int(u == v);
    case 9u: return int(u > v);
    case 10u: return int(u >= v);
    case 11u: return int(u < v);
    default: return int(u <= v);
  }
}

void main() {
  uint index = thread_index();
  if (index >= total) return;
  ivec3 at = locate(index);
  if (kType == 1u) {
    y_ints[index] = apply_ints(a_ints[at.x], b_ints[at.y]);
  } else if (kType == 2u) {
    y[index] = SCALAR(float(apply_ints(a_ints[at.x], b_ints[at.y])));
  } else if (kWide == 0u) {
    float v = apply(vec4(float(a[at.x])), vec4(float(b[at.y]))).x;
    y[index] = SCALAR(activate1(v, kActivation, alpha, beta));
  } else {
    Group u = LOAD_WIDE(a, 1u, at.x);
    Group v = LOAD_WIDE(b, 2u, at.y);
    Group r = Group(activate(apply(u.lo, v.lo), kActivation, alpha, beta),
                    activate(apply(u.hi, v.hi), kActivation, alpha, beta));
    STORE_GROUP(y_groups, index, mask_group(r, index % groups, channels));
  }
}
