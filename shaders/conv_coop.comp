#version 450
// Convolution without groups as a tiled implicit GEMM (common/conv_tile.glsl) on cooperative matrices: fp16 storage only.
// A subgroup computes kAlongM x kAlongN matrices of the workgroup's tile and hands them over through shared memory.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"
#include "common/conv_epilogue.glsl"
#include "common/conv_input.glsl"
#include "common/conv_tile.glsl"
#include "common/cooperative_matrix.glsl"

layout(constant_id = 14) const uint kAlongM = 2;
layout(constant_id = 15) const uint kAlongN = 2;
const uint kSubgroupsN = 8u * kTileGroups / (kAlongN * kColumns);
const uint kTeam = kTilePixels / (kAlongM * kRows) * kSubgroupsN;  // subgroups

// One matrix of every subgroup in fp32, where the tiles were. A row is 4 numbers longer than it needs to be, as theirs.
const uint kSlabRow = kColumns / 4u + 1u, kSlab = kRows * kSlabRow;

MATRIX_SUM sum[kAlongM * kAlongN];

void multiply(uint half_, uint first, uint end) {
  uint place = gl_SubgroupID % kTeam;
  uint a_at = half_ * kSizeA + place / kSubgroupsN * kAlongM * kRows * kRowA;
  uint b_at = kBeginB + half_ * kSizeB + place % kSubgroupsN * kAlongN * (kColumns / 8u);
  for (uint k = first; k < end; k += kDepth / 8u) {
    MATRIX_A a[kAlongM];
    [[unroll]] for (uint m = 0; m < kAlongM; ++m) LOAD_MATRIX(a[m], tiles, a_at + m * kRows * kRowA + k, kRowA);
    [[unroll]] for (uint n = 0; n < kAlongN; ++n) {
      MATRIX_B b;
      LOAD_MATRIX(b, tiles, b_at + 8u * k * kRowB + n * (kColumns / 8u), kRowB);
      [[unroll]] for (uint m = 0; m < kAlongM; ++m)
        sum[m * kAlongN + n] = MULTIPLY_ADD(a[m], b, sum[m * kAlongN + n]);
    }
  }
}

// The group of channels that begins at `at` of a slab, added up over all teams.
Group add_teams(Group v, uint at) {
  for (uint t = 0; t < kSplit; ++t, at += kTeam * kSlab)
    v = Group(v.lo + uintBitsToFloat(tiles[at]), v.hi + uintBitsToFloat(tiles[at + 1u]));
  return v;
}

// Finishes matrix (m, n) of this subgroup's place, which lies in the slabs of all teams, with the threads of all teams.
void finish(uint place, uint m, uint n) {
  const uint width = kColumns / 8u;
  uint first_pixel = gl_WorkGroupID.x * kTilePixels + (place / kSubgroupsN * kAlongM + m) * kRows;
  uint first_group = gl_WorkGroupID.y * kTileGroups + (place % kSubgroupsN * kAlongN + n) * width;
  uint item = gl_SubgroupID / kTeam * gl_SubgroupSize + gl_SubgroupInvocationID;
  for (; item < kRows * width; item += kSplit * gl_SubgroupSize) {
    uint row = item / width, og = first_group + item % width, pixel = first_pixel + row;
    if (pixel >= pixels || og >= epilogue_groups(epilogue)) continue;
    Group v = add_teams(epilogue_bias(og), place * kSlab + row * kSlabRow + item % width * 2u);
    epilogue_store(epilogue, v, pixel, og, epilogue_affine(epilogue, og));
  }
}

void main() {
  for (uint i = 0; i < kAlongM * kAlongN; ++i) sum[i] = ZERO_SUM;
  tile_run(gl_SubgroupID / kTeam);
  [[unroll]] for (uint m = 0; m < kAlongM; ++m)
    [[unroll]] for (uint n = 0; n < kAlongN; ++n) {
      STORE_MATRIX(sum[m * kAlongN + n], tiles, gl_SubgroupID * kSlab, kSlabRow);
      barrier();
      finish(gl_SubgroupID % kTeam, m, n);
      barrier();
    }
}
