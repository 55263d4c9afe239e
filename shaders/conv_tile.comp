#version 450
// Convolution without groups as a tiled implicit GEMM (common/conv_tile.glsl), multiplied in fp32 registers.
// A thread computes kPixels outputs x 8 channels. For real GPUs: software devices are faster with conv.comp.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"
#include "common/conv_epilogue.glsl"
#include "common/conv_input.glsl"
#include "common/conv_tile.glsl"

layout(constant_id = 11) const uint kPixels = 4;
const uint kTeam = kTilePixels / kPixels * kTileGroups;  // threads
const uint kApart = kTilePixels / kPixels;               // pixels between those of a thread
shared Group partial[kSplit > 1u ? kTeam * kSplit : 1u];

Group sum[kPixels];

void multiply(uint half_, uint first, uint end) {
  uint tg = gl_LocalInvocationID.x % kTileGroups, tp = gl_LocalInvocationID.x % kTeam / kTileGroups;
  uint a_at = half_ * kSizeA + tp * kRowA, b_at = kBeginB + half_ * kSizeB + tg;
  for (uint k = first; k < end; ++k) {
    Group r[8];
    [[unroll]] for (uint i = 0; i < 8u; ++i) r[i] = LOAD_GROUP(tiles, b_at + (8u * k + i) * kRowB);
    mat4 lo_lo = mat4(r[0].lo, r[1].lo, r[2].lo, r[3].lo), lo_hi = mat4(r[4].lo, r[5].lo, r[6].lo, r[7].lo);
    mat4 hi_lo = mat4(r[0].hi, r[1].hi, r[2].hi, r[3].hi), hi_hi = mat4(r[4].hi, r[5].hi, r[6].hi, r[7].hi);
    [[unroll]] for (uint p = 0; p < kPixels; ++p) {
      Group a = LOAD_GROUP(tiles, a_at + p * kApart * kRowA + k);
      sum[p].lo += lo_lo * a.lo + lo_hi * a.hi;
      sum[p].hi += hi_lo * a.lo + hi_hi * a.hi;
    }
  }
}

// Adds the sums of pixel p of all teams; the first team has the result.
void add_teams(uint p, uint team) {
  partial[gl_LocalInvocationID.x] = sum[p];
  barrier();
  if (team == 0u)
    for (uint t = 1; t < kSplit; ++t) {
      Group other = partial[t * kTeam + gl_LocalInvocationID.x];
      sum[p] = Group(sum[p].lo + other.lo, sum[p].hi + other.hi);
    }
  barrier();
}

void main() {
  uint team = gl_LocalInvocationID.x / kTeam, thread = gl_LocalInvocationID.x % kTeam;
  uint og = gl_WorkGroupID.y * kTileGroups + thread % kTileGroups;
  bool wanted = team == 0u && og < epilogue_groups(epilogue);
  for (uint p = 0; p < kPixels; ++p) sum[p] = kZeroGroup;
  if (wanted)
    for (uint p = 0; p < kPixels; ++p) sum[p] = epilogue_bias(og);
  tile_run(team);
  if (kSplit > 1u)
    for (uint p = 0; p < kPixels; ++p) add_teams(p, team);
  if (!wanted) return;
  SecondAffine second = epilogue_affine(epilogue, og);
  for (uint p = 0; p < kPixels; ++p) {
    uint pixel = gl_WorkGroupID.x * kTilePixels + thread / kTileGroups + p * kApart;
    if (pixel < pixels) epilogue_store(epilogue, sum[p], pixel, og, second);
  }
}
