#version 450
// Batched matrix product of two row-major operands; a thread computes a tile of 4 x 4, or with kTeam a workgroup does,
// each thread with every 64th product of a sum.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"

layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kActivation = 0;
layout(constant_id = 1) const uint kTeam = 0;

layout(std430, binding = 0) readonly buffer A { SCALAR a[]; };
layout(std430, binding = 1) readonly buffer B { SCALAR b[]; };
layout(std430, binding = 2) writeonly buffer Y { SCALAR y[]; };

layout(push_constant) uniform Push {
  uint tiles, m, k, n;
  uint batch_inner;              // length of the inner batch axis
  uint a_outer, a_inner;         // elements from one matrix to the next along the batch axes; 0 repeats it
  uint b_outer, b_inner;
  uint b_row, b_column;          // elements from one row or column of the right matrix to the next
  float alpha, beta;
};

shared vec4 part[64][4];

void main() {
  uint id = kTeam == 1u ? team_index() : thread_index();
  if (id >= tiles) return;
  uint lane = kTeam == 1u ? gl_LocalInvocationID.x : 0u;
  uint step_ = kTeam == 1u ? 64u : 1u;
  uint tiles_n = (n + 3u) / 4u;
  uint tiles_m = (m + 3u) / 4u;
  uint column = id % tiles_n * 4u;
  uint row = id / tiles_n % tiles_m * 4u;
  uint batch = id / tiles_n / tiles_m;
  uint a_at = batch / batch_inner * a_outer + batch % batch_inner * a_inner;
  uint b_at = batch / batch_inner * b_outer + batch % batch_inner * b_inner;
  uvec4 rows = a_at + min(row + uvec4(0, 1, 2, 3), uvec4(m - 1u)) * k;
  uvec4 columns = b_at + min(column + uvec4(0, 1, 2, 3), uvec4(n - 1u)) * b_column + lane * b_row;
  vec4 sum[4] = vec4[4](vec4(0), vec4(0), vec4(0), vec4(0));
  for (uint i = lane; i < k; i += step_) {
    vec4 right = vec4(float(b[columns.x]), float(b[columns.y]), float(b[columns.z]), float(b[columns.w]));
    [[unroll]] for (uint r = 0; r < 4u; ++r) sum[r] += float(a[rows[r] + i]) * right;
    columns += step_ * b_row;
  }
  if (kTeam == 1u) {
    [[unroll]] for (uint r = 0; r < 4u; ++r) part[lane][r] = sum[r];
    for (uint half_ = 32u; half_ > 0u; half_ /= 2u) {
      barrier();
      if (lane < half_)
        for (uint r = 0; r < 4u; ++r) part[lane][r] += part[lane + half_][r];
    }
    if (lane != 0u) return;
    [[unroll]] for (uint r = 0; r < 4u; ++r) sum[r] = part[0][r];
  }
  [[unroll]] for (uint r = 0; r < 4u; ++r) {
    vec4 v = activate(sum[r], kActivation, alpha, beta);
    [[unroll]] for (uint c = 0; c < 4u; ++c) {
      if (row + r < m && column + c < n) y[(batch * m + row + r) * n + column + c] = SCALAR(v[c]);
    }
  }
}
