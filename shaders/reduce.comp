#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// Reductions, accumulated in fp32. An output is one thread's or, with kTeam, a workgroup's; with kWide it is a group of 8
// channels. The result is dense.
layout(local_size_x = 128) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kOp = 0u;  // gpu/ops/reduce.cpp
layout(constant_id = 1) const uint kWide = 0u;
layout(constant_id = 2) const uint kTeam = 0u;
layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };
layout(std430, binding = 0) readonly buffer XGroups { GROUP x_groups[]; };
layout(std430, binding = 1) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 1) writeonly buffer YGroups { GROUP y_groups[]; };
layout(std430, binding = 1) writeonly buffer YInts { int y_ints[]; };
const int kKept = 4, kGone = 4;
layout(push_constant) uniform Push {
  uint total;             // outputs
  uint count;             // elements reduced into each
  uint channels, groups;  // of a kWide output
  uint kept_rank, gone_rank;
  uint last;              // ArgMax, ArgMin: the last of equals wins
  uint kept_size[kKept];
  int kept_stride[kKept];
  uint gone_size[kGone];
  int gone_stride[kGone];
};

const uint kMax = 2u, kMin = 3u, kProd = 4u, kL1 = 5u, kL2 = 6u, kSumSquare = 7u, kLogSum = 8u, kLogSumExp = 9u,
           kArgMax = 10u, kArgMin = 11u;
#define kInfinity uintBitsToFloat(0x7f800000u)

// `value` is the running result; `aux` the sum under LogSumExp's maximum, or the index of ArgMax.
struct State { vec4 value, aux; };
shared State team[128][2];

State start() {
  if (kOp == kMax || kOp == kLogSumExp || kOp == kArgMax) return State(vec4(-kInfinity), vec4(0));
  if (kOp == kMin || kOp == kArgMin) return State(vec4(kInfinity), vec4(0));
  return State(vec4(kOp == kProd ? 1.0 : 0.0), vec4(0));
}

State merge_log(State a, State b) {
  vec4 top = max(a.value, b.value);
  bvec4 none = equal(top, vec4(-kInfinity));
  vec4 shift = mix(top, vec4(0), none);
  return State(top, a.aux * exp(a.value - shift) + b.aux * exp(b.value - shift));
}

State merge_best(State a, State b) {
  bvec4 better = kOp == kArgMax ? greaterThan(b.value, a.value) : lessThan(b.value, a.value);
  bvec4 same = equal(b.value, a.value);
  bvec4 later = last == 1u ? greaterThan(b.aux, a.aux) : lessThan(b.aux, a.aux);
  for (int i = 0; i < 4; ++i)
    if (better[i] || (same[i] && later[i])) {
      a.value[i] = b.value[i];
      a.aux[i] = b.aux[i];
    }
  return a;
}

// Of two partial results.
State merge(State a, State b) {
  if (kOp == kLogSumExp) return merge_log(a, b);
  if (kOp == kArgMax || kOp == kArgMin) return merge_best(a, b);
  if (kOp == kMax) a.value = max(a.value, b.value);
  else if (kOp == kMin) a.value = min(a.value, b.value);
  else if (kOp == kProd) a.value *= b.value;
  else a.value += b.value;
  return a;
}

// One element as a partial result.
State single(vec4 v, uint index) {
  if (kOp == kL1) return State(abs(v), vec4(0));
  if (kOp == kL2 || kOp == kSumSquare) return State(v * v, vec4(0));
  if (kOp == kLogSumExp) return State(v, vec4(1));
  return State(v, vec4(float(index)));
}

vec4 finish(State s) {
  if (kOp == 1u) return s.value / float(count);  // Mean
  if (kOp == kL2) return sqrt(s.value);
  if (kOp == kLogSum) return log(s.value);
  if (kOp == kLogSumExp) return s.value + log(s.aux);
  return s.value;
}

int origin(uint index) {
  int at = 0;
  for (uint i = kept_rank; i-- > 0u;) {
    uint outer = i == 0u ? 0u : index / kept_size[i];
    at += int(index - outer * kept_size[i]) * kept_stride[i];
    index = outer;
  }
  return at;
}

void main() {
  uint output_ = kTeam == 1u ? team_index() : thread_index();
  if (output_ >= total) return;
  uint first = kTeam == 1u ? gl_LocalInvocationID.x : 0u;
  uint step = kTeam == 1u ? 128u : 1u;
  int base = origin(output_);
  State lo = start(), hi = start();
  for (uint k = first; k < count; k += step) {
    int at = base;
    uint index = k;
    for (uint i = gone_rank; i-- > 0u;) {
      uint outer = i == 0u ? 0u : index / gone_size[i];
      at += int(index - outer * gone_size[i]) * gone_stride[i];
      index = outer;
    }
    if (kWide == 1u) {
      Group v = LOAD_GROUP(x_groups, at);
      lo = merge(lo, single(v.lo, k));
      hi = merge(hi, single(v.hi, k));
    } else {
      lo = merge(lo, single(vec4(float(x[at])), k));
    }
  }
  if (kTeam == 1u) {
    team[first][0] = lo;
    if (kWide == 1u) team[first][1] = hi;
    for (uint half_ = 64u; half_ > 0u; half_ /= 2u) {
      barrier();
      if (first < half_) {
        team[first][0] = merge(team[first][0], team[first + half_][0]);
        if (kWide == 1u) team[first][1] = merge(team[first][1], team[first + half_][1]);
      }
    }
    if (first != 0u) return;
    lo = team[0][0];
    hi = team[0][1];
  }
  if (kWide == 1u) {
    STORE_GROUP(y_groups, output_, mask_group(Group(finish(lo), finish(hi)), output_ % groups, channels));
  } else if (kOp == kArgMax || kOp == kArgMin) {
    y_ints[output_] = int(lo.aux.x);
  } else {
    y[output_] = SCALAR(finish(lo).x);
  }
}
