#version 450
#extension GL_GOOGLE_include_directive : require
// Puts the picks of all batches and classes one after another as rows (batch, class, box); the rest is -1.
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(std430, binding = 0) readonly buffer Picks { int picks[]; };    // [jobs, most]
layout(std430, binding = 1) readonly buffer Picked { int picked[]; };  // how many, per job
layout(std430, binding = 2) writeonly buffer Rows { int rows[]; };
layout(push_constant) uniform Push { uint total, jobs, classes, most; };  // total: rows

void write_row(uint row, ivec3 v) {
  if (row >= total) return;
  rows[3u * row] = v.x;
  rows[3u * row + 1u] = v.y;
  rows[3u * row + 2u] = v.z;
}

void main() {
  uint index = thread_index();
  uint job = index / most, pick = index % most;
  uint before = 0u, all = 0u;
  for (uint i = 0u; i < jobs; ++i) {
    if (i < job) before += uint(picked[i]);
    all += uint(picked[i]);
  }
  if (index >= all) write_row(index, ivec3(-1));
  if (job < jobs && pick < uint(picked[job]))
    write_row(before + pick, ivec3(job / classes, job % classes, picks[index]));
}
