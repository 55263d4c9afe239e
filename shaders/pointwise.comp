#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// A chain of element-wise operators (host/ops/pointwise_program.hpp): its instructions are specialisation constants, so
// that the driver compiles straight code. Booleans are 0 and 1.
layout(local_size_x = 64) in;
#include "common/index.glsl"
#include "common/power.glsl"
const uint kAxes = 4u, kImmediates = 8u, kRegisters = 30u;
layout(constant_id = 0) const uint kWide = 0u;    // a thread takes 8 elements
layout(constant_id = 1) const uint kInputs = 0u;
layout(constant_id = 2) const uint kModes = 0u;   // 4 bits an input: 0 lies as the results, else 1 + its row of strides
layout(constant_id = 3) const uint kFixed = 0u;   // immediates
layout(constant_id = 4) const uint kCount = 1u;   // results
layout(constant_id = 5) const uint kResults = 0u; // 8 bits each: registers
layout(constant_id = 6) const uint kSteps = 0u;   // instructions: op, a, b, c of 8 bits each
layout(constant_id = 7) const uint kStep0 = 0u;
layout(constant_id = 8) const uint kStep1 = 0u;
layout(constant_id = 9) const uint kStep2 = 0u;
layout(constant_id = 10) const uint kStep3 = 0u;
layout(constant_id = 11) const uint kStep4 = 0u;
layout(constant_id = 12) const uint kStep5 = 0u;
layout(constant_id = 13) const uint kStep6 = 0u;
layout(constant_id = 14) const uint kStep7 = 0u;
layout(constant_id = 15) const uint kStep8 = 0u;
layout(constant_id = 16) const uint kStep9 = 0u;
layout(constant_id = 17) const uint kStep10 = 0u;
layout(constant_id = 18) const uint kStep11 = 0u;
layout(constant_id = 19) const uint kStep12 = 0u;
layout(constant_id = 20) const uint kStep13 = 0u;
layout(constant_id = 21) const uint kStep14 = 0u;
layout(constant_id = 22) const uint kStep15 = 0u;
layout(std430, binding = 0) readonly buffer X0 { SCALAR x0[]; };
layout(std430, binding = 0) readonly buffer G0 { GROUP g0[]; };
layout(std430, binding = 1) readonly buffer X1 { SCALAR x1[]; };
layout(std430, binding = 1) readonly buffer G1 { GROUP g1[]; };
layout(std430, binding = 2) readonly buffer X2 { SCALAR x2[]; };
layout(std430, binding = 2) readonly buffer G2 { GROUP g2[]; };
layout(std430, binding = 3) readonly buffer X3 { SCALAR x3[]; };
layout(std430, binding = 3) readonly buffer G3 { GROUP g3[]; };
layout(std430, binding = 4) readonly buffer X4 { SCALAR x4[]; };
layout(std430, binding = 4) readonly buffer G4 { GROUP g4[]; };
layout(std430, binding = 5) readonly buffer X5 { SCALAR x5[]; };
layout(std430, binding = 5) readonly buffer G5 { GROUP g5[]; };
layout(std430, binding = 6) writeonly buffer Y0 { SCALAR y0[]; };
layout(std430, binding = 6) writeonly buffer H0 { GROUP h0[]; };
layout(std430, binding = 7) writeonly buffer Y1 { SCALAR y1[]; };
layout(std430, binding = 7) writeonly buffer H1 { GROUP h1[]; };
layout(std430, binding = 8) writeonly buffer Y2 { SCALAR y2[]; };
layout(std430, binding = 8) writeonly buffer H2 { GROUP h2[]; };

layout(push_constant) uniform Push {
  uint total, rank;
  uint channels, groups;  // of the results: lanes at and beyond `channels` are zero
  uint splats;            // bit i: strided operand i is one scalar for all 8 lanes
  uint size[kAxes];
  int stride[3 * kAxes];
  float immediate[kImmediates];
};

vec4 r[2u * kRegisters];  // two halves each

vec4 compute(uint op, vec4 a, vec4 b, vec4 c) {
  switch (op) {
    case 0u: return a + b;
    case 1u: return a - b;
    case 2u: return a * b;
    case 3u: return a / b;
    case 4u: return vec4(power(a.x, b.x), power(a.y, b.y), power(a.z, b.z), power(a.w, b.w));
    case 5u: return max(a, b);
    case 6u: return min(a, b);
    case 7u: return mix(a, a * b, lessThan(a, vec4(0)));  // PRelu
    case 8u: return vec4(equal(a, b));
    case 9u: return vec4(greaterThan(a, b));
    case 10u: return vec4(greaterThanEqual(a, b));
    case 11u: return vec4(lessThan(a, b));
    case 12u: return vec4(lessThanEqual(a, b));
    case 13u: return a * b;                               // And
    case 14u: return max(a, b);                           // Or
    case 15u: return vec4(notEqual(a, b));                // Xor
    case 16u: return mix(c, b, notEqual(a, vec4(0)));     // Where
    case 17u: return min(max(a, b), c);
    case 18u: return max(a, vec4(0));
    case 19u: return 1.0 / (1.0 + exp(-a));
    case 20u: return tanh(clamp(a, vec4(-20), vec4(20)));
    case 21u: return clamp(b * a + c, vec4(0), vec4(1));
    case 22u: return a * clamp(a / 6.0 + 0.5, vec4(0), vec4(1));
    case 23u: return a / (1.0 + exp(-a));
    case 24u: return exp(a);
    case 25u: return log(a);
    case 26u: return sqrt(a);
    case 27u: return abs(a);
    case 28u: return -a;
    case 29u: return 1.0 / a;
    case 30u: return floor(a);
    case 31u: return ceil(a);
    case 32u: return roundEven(a);
    case 33u: return sign(a);
    case 34u: return 1.0 - a;                             // Not
    default: return vec4(notEqual(a, vec4(0)));
  }
}

void execute(uint target, uint code) {
  [[unroll]] for (uint half_ = 0u; half_ < 2u; ++half_)
    r[2u * target + half_] = compute(code & 0xffu, r[2u * ((code >> 8) & 0xffu) + half_],
                                     r[2u * ((code >> 16) & 0xffu) + half_], r[2u * (code >> 24) + half_]);
}

void put(uint target, Group g) {
  r[2u * target] = g.lo;
  r[2u * target + 1u] = g.hi;
}

// Where each strided operand lies for element (or group) `index` of the results.
ivec3 locate(uint index) {
  ivec3 at = ivec3(0);
  for (uint i = rank; i-- > 0u;) {
    uint outer = i == 0u ? 0u : index / size[i];
    int step_ = int(index - outer * size[i]);
    at += step_ * ivec3(stride[i], stride[kAxes + i], stride[2u * kAxes + i]);
    index = outer;
  }
  return at;
}

#define FETCH(k)                                                                            \
  if (kInputs > uint(k)) {                                                                     \
    const uint mode = (kModes >> (4u * uint(k))) & 15u;                                        \
    int i = mode == 0u ? int(index) : at[max(mode, 1u) - 1u];                               \
    bool one = kWide == 0u || (mode != 0u && (splats & (1u << (max(mode, 1u) - 1u))) != 0u); \
    if (one) put(k, Group(vec4(float(x##k[i])), vec4(float(x##k[i]))));                     \
    else put(k, LOAD_GROUP(g##k, i));                                                       \
  }
#define GIVE(k)                                                                             \
  if (kCount > uint(k)) {                                                                      \
    const uint from = 2u * ((kResults >> (8u * uint(k))) & 0xffu);                          \
    Group v = Group(r[from], r[from + 1u]);                                         \
    if (kWide == 0u) y##k[index] = SCALAR(v.lo.x);                                          \
    else STORE_GROUP(h##k, index, mask_group(v, index % groups, channels));                 \
  }

void main() {
  uint index = thread_index();
  if (index >= total) return;
  ivec3 at = kModes == 0u ? ivec3(0) : locate(index);
  FETCH(0) FETCH(1) FETCH(2) FETCH(3) FETCH(4) FETCH(5)
  [[unroll]] for (uint i = 0u; i < kImmediates; ++i)
    if (i < kFixed) put(kInputs + i, Group(vec4(immediate[i]), vec4(immediate[i])));
  const uint code[16] = uint[16](kStep0, kStep1, kStep2, kStep3, kStep4, kStep5, kStep6, kStep7, kStep8, kStep9, kStep10,
                                 kStep11, kStep12, kStep13, kStep14, kStep15);
  [[unroll]] for (uint i = 0u; i < kSteps; ++i) execute(kInputs + kFixed + i, code[i]);
  GIVE(0) GIVE(1) GIVE(2)
}
