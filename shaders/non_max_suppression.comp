#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// Greedy suppression, one workgroup per (batch, class): in every round each thread drops its own boxes that overlap the
// last pick and offers its best one; the best of all is the next pick.
layout(local_size_x = 128) in;
#include "common/index.glsl"
layout(std430, binding = 0) readonly buffer Boxes { SCALAR boxes[]; };    // [batch, count, 4]
layout(std430, binding = 1) readonly buffer Scores { SCALAR scores[]; };  // [batch, classes, count]
layout(std430, binding = 2) buffer Alive { float alive[]; };              // scores; kDead once dropped
layout(std430, binding = 3) writeonly buffer Picks { int picks[]; };      // [batch * classes, most]
layout(std430, binding = 4) writeonly buffer Picked { int picked[]; };    // how many, per batch and class
layout(push_constant) uniform Push {
  uint total, count, classes, most;
  uint centers;  // boxes are cx, cy, w, h; else two opposite corners y1, x1, y2, x2
  float iou_threshold, score_threshold;
};

const float kDead = -3.402823e38;
shared float best_score[128];
shared int best_box[128];

// y1, x1, y2, x2 or the like: only overlaps matter.
vec4 corners(uint batch, uint i) {
  uint at = (batch * count + i) * 4u;
  vec4 v = vec4(float(boxes[at]), float(boxes[at + 1u]), float(boxes[at + 2u]), float(boxes[at + 3u]));
  if (centers == 1u) return vec4(v.xy - 0.5 * v.zw, v.xy + 0.5 * v.zw);
  return vec4(min(v.xy, v.zw), max(v.xy, v.zw));
}

float area(vec4 box) {
  return (box.z - box.x) * (box.w - box.y);
}

bool overlap(vec4 a, vec4 b) {
  vec2 side = min(a.zw, b.zw) - max(a.xy, b.xy);
  if (side.x <= 0.0 || side.y <= 0.0) return false;
  float both = side.x * side.y, area_a = area(a), area_b = area(b);
  if (area_a <= 0.0 || area_b <= 0.0) return false;
  return both / (area_a + area_b - both) > iou_threshold;
}

void main() {
  uint job = team_index();
  if (job >= total) return;
  uint t = gl_LocalInvocationID.x;
  uint batch = job / classes, base = job * count;
  for (uint i = t; i < count; i += 128u) {
    float score = float(scores[base + i]);
    alive[base + i] = score > score_threshold ? score : kDead;
  }
  uint found = 0u;
  vec4 pick = vec4(0);
  for (; found < most; ++found) {
    float score = kDead;
    int box = 0;
    for (uint i = t; i < count; i += 128u) {
      float own = alive[base + i];
      if (own <= kDead) continue;
      if (found > 0u && overlap(pick, corners(batch, i))) {
        alive[base + i] = kDead;
        continue;
      }
      if (own <= score) continue;
      score = own;
      box = int(i);
    }
    best_score[t] = score;
    best_box[t] = box;
    for (uint half_ = 64u; half_ > 0u; half_ /= 2u) {
      barrier();
      if (t < half_) {
        float other = best_score[t + half_];
        int other_box = best_box[t + half_];
        if (other > best_score[t] || (other == best_score[t] && other_box < best_box[t])) {
          best_score[t] = other;
          best_box[t] = other_box;
        }
      }
    }
    barrier();
    float top = best_score[0];
    uint winner = uint(best_box[0]);
    barrier();
    if (top <= kDead) break;
    pick = corners(batch, winner);
    if (winner % 128u == t) alive[base + winner] = kDead;
    if (t == 0u) picks[job * most + found] = int(winner);
  }
  if (t == 0u) picked[job] = int(found);
}
