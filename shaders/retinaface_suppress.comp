#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// Greedy suppression of RetinaFace's candidates by one workgroup: they are put in one list; then in every round each thread
// drops those of its own that overlap the last pick and offers its best one; the best of all is the next face.
layout(local_size_x = 256) in;
layout(constant_id = 0) const uint kFloat32 = 1u;  // the rows are float32 whatever the storage type
layout(std430, binding = 0) readonly buffer Loc { SCALAR loc[]; };
layout(std430, binding = 1) readonly buffer Conf { SCALAR conf[]; };
layout(std430, binding = 2) readonly buffer Landms { SCALAR landms[]; };  // [priors, 10]
layout(std430, binding = 3) readonly buffer Found { uint found[]; };      // 256 for each group
layout(std430, binding = 4) readonly buffer Counts { uint counts[]; };
layout(std430, binding = 5) coherent buffer Boxes { vec4 boxes[]; };
layout(std430, binding = 6) coherent buffer Keys { vec2 keys[]; };
layout(std430, binding = 7) coherent buffer Numbers { uint numbers[]; };  // priors; kDead once dropped
layout(std430, binding = 8) writeonly buffer Rows { float rows[]; };      // [most, 16]
layout(std430, binding = 8) writeonly buffer StoredRows { SCALAR stored_rows[]; };
layout(push_constant) uniform Push {
  uint groups, height, width, most;
  float threshold;
};
#include "common/retinaface.glsl"

const uint kDead = 0xffffffffu;
shared uint total;
shared vec2 best_key[256];
shared uint best_number[256], best_at[256];

// Pixels are counted, hence + 1.
bool overlaps(vec4 a, vec4 b) {
  vec2 side = max(min(a.zw, b.zw) - max(a.xy, b.xy) + 1.0, vec2(0));
  vec2 of_a = a.zw - a.xy + 1.0, of_b = b.zw - b.xy + 1.0;
  float both = side.x * side.y;
  float all_ = of_a.x * of_a.y + of_b.x * of_b.y - both;
  return all_ > 0.0 && both / all_ > threshold;
}

bool better(vec2 key, uint number, vec2 other_key, uint other) {
  if (other == kDead) return number != kDead;
  if (number == kDead) return false;
  if (key.x != other_key.x) return key.x > other_key.x;
  if (key.y != other_key.y) return key.y > other_key.y;
  return number < other;
}

void write_number(uint at, float v) {
  if (kFloat32 == 1u) rows[at] = v;
  else stored_rows[at] = SCALAR(v);
}

void write_row(uint row, uint t, uint at) {
  if (t >= 16u) return;
  uint i = numbers[at];
  float v = float(i);
  if (t < 4u) {
    v = boxes[at][t];
  } else if (t == 4u) {
    v = keys[at].x;
  } else if (t < 15u) {
    vec3 prior = prior_at(i);
    uint k = t - 5u;
    v = ((k & 1u) == 0u ? prior.x : prior.y) + float(landms[10u * i + k]) * 0.1 * prior.z;
  }
  write_number(16u * row + t, v);
}

void list_candidates(uint t) {
  if (t == 0u) total = 0u;
  barrier();
  for (uint g = t; g < groups; g += 256u) {
    uint count = min(counts[g], 256u);
    uint to = atomicAdd(total, count);
    for (uint k = 0u; k < count; ++k) {
      uint i = found[256u * g + k];
      boxes[to + k] = box_of(i);
      keys[to + k] = key_of(i);
      numbers[to + k] = i;
    }
  }
  memoryBarrierBuffer();
  barrier();
}

void main() {
  uint t = gl_LocalInvocationID.x;
  list_candidates(t);
  uint row = 0u;
  vec4 pick = vec4(0);
  for (; row < most; ++row) {
    vec2 key = vec2(0);
    uint number = kDead, at = 0u;
    for (uint j = t; j < total; j += 256u) {
      uint own = numbers[j];
      if (own == kDead) continue;
      if (row > 0u && overlaps(pick, boxes[j])) {
        numbers[j] = kDead;
        continue;
      }
      if (!better(keys[j], own, key, number)) continue;
      key = keys[j];
      number = own;
      at = j;
    }
    best_key[t] = key;
    best_number[t] = number;
    best_at[t] = at;
    for (uint half_ = 128u; half_ > 0u; half_ /= 2u) {
      barrier();
      uint other = t + half_;
      if (t < half_ && better(best_key[other], best_number[other], best_key[t], best_number[t])) {
        best_key[t] = best_key[other];
        best_number[t] = best_number[other];
        best_at[t] = best_at[other];
      }
    }
    barrier();
    if (best_number[0] == kDead) break;
    uint winner = best_at[0];
    pick = boxes[winner];
    write_row(row, t, winner);
    memoryBarrierBuffer();
    barrier();
    if (winner % 256u == t) numbers[winner] = kDead;
  }
  for (uint k = 16u * row + t; k < 16u * most; k += 256u) write_number(k, (k & 15u) == 15u ? -1.0 : 0.0);
}
