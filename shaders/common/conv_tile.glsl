// Implicit GEMM through shared memory: what conv_tile.comp and conv_coop.comp share. A workgroup computes kTilePixels
// outputs x 8 * kTileGroups channels. K runs over taps x groups of 8 inputs, kStep groups at a time; kSplit teams of
// threads share each step and add up at the end. Weights lie as in conv.comp. All sizes are powers of two.
// Included after storage.glsl, conv_input.glsl and conv_epilogue.glsl.
layout(constant_id = 5) const bool kScaled = false;
layout(local_size_x_id = 6) in;
layout(constant_id = 7) const uint kTilePixels = 64;
layout(constant_id = 8) const uint kTileGroups = 8;
layout(constant_id = 9) const uint kStep = 4;
layout(constant_id = 10) const uint kSplit = 1;
const uint kThreads = gl_WorkGroupSize.x;

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) readonly buffer Weights { GROUP w[]; };

layout(push_constant) uniform Push {
  EpiloguePush epilogue;
  uint in_h, in_w, in_groups;
  uint out_h, out_w;
  uint pixels;    // outputs of all images
  uint k_groups;  // taps x in_groups
  uint kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
};

// One step of K: pixels x groups, and 8 rows of output channels for each group. A row is one group longer than it
// needs to be, so that neighbouring threads meet different banks. Two buffers: one is filled while the other is read.
const uint kRowA = kStep + 1u, kRowB = kTileGroups + 1u;
const uint kItemsA = kTilePixels * kStep, kItemsB = 8u * kStep * kTileGroups;
const uint kSizeA = kTilePixels * kRowA, kSizeB = 8u * kStep * kRowB;
const uint kBeginB = 2u * kSizeA;
shared GROUP tiles[2u * (kSizeA + kSizeB)];

const uint kLoadsA = (kItemsA + kThreads - 1u) / kThreads, kLoadsB = (kItemsB + kThreads - 1u) / kThreads;
ivec2 origin[kLoadsA];  // row and column where the window of a pixel begins
uint image[kLoadsA];
GROUP held_a[kLoadsA], held_b[kLoadsB];

// A thread fetches the same pixels in every step.
void tile_begin() {
  for (uint j = 0; j < kLoadsA; ++j) {
    uint pixel = gl_WorkGroupID.x * kTilePixels + (gl_LocalInvocationID.x + j * kThreads) / kStep;
    uint row = pixel / out_w;
    uint n = row / out_h;
    image[j] = n;
    origin[j] = ivec2(row - n * out_h, pixel - row * out_w) * ivec2(stride_h, stride_w) - ivec2(pad_top, pad_left);
    if (pixel >= pixels) origin[j] = ivec2(1 << 30);  // outside of every image: reads as zero
  }
}

// Input group `index`, which is group i of image n, as it is stored.
GROUP tile_input(uint index, uint n, uint i) {
  if (!kScaled) return x[index];
  Group v = scaled(LOAD_GROUP(x, index), LOAD_SCALE(n, in_groups, i));
  return PACK_GROUP(v);
}

void tile_fetch(uint step_) {
  uint k = step_ * kStep + gl_LocalInvocationID.x % kStep;  // kThreads is a multiple of kStep
  uint tap = k / in_groups, i = k - tap * in_groups;
  uint ky = tap / kernel_w, kx = tap - ky * kernel_w;
  ivec2 offset = ivec2(ky * dilation_h, kx * dilation_w);
  for (uint j = 0; j < kLoadsA; ++j) {
    ivec2 at = origin[j] + offset;
    bool ok = k < k_groups && uint(at.x) < in_h && uint(at.y) < in_w;
    uint index = ((image[j] * in_h + uint(at.x)) * in_w + uint(at.y)) * in_groups + i;
    held_a[j] = ZERO_GROUP;
    if (ok) held_a[j] = tile_input(index, image[j], i);
  }
  uint out_groups = epilogue_groups(epilogue);
  for (uint j = 0; j < kLoadsB; ++j) {
    uint item = gl_LocalInvocationID.x + j * kThreads;
    uint og = gl_WorkGroupID.y * kTileGroups + item / (8u * kStep);
    uint row = step_ * 8u * kStep + item % (8u * kStep);
    held_b[j] = ZERO_GROUP;
    if (og < out_groups && row < 8u * k_groups) held_b[j] = w[og * 8u * k_groups + row];
  }
}

void tile_put(uint half_) {
  for (uint j = 0; j < kLoadsA; ++j) {
    uint item = gl_LocalInvocationID.x + j * kThreads;
    if (item < kItemsA) tiles[half_ * kSizeA + item / kStep * kRowA + item % kStep] = held_a[j];
  }
  for (uint j = 0; j < kLoadsB; ++j) {
    uint item = gl_LocalInvocationID.x + j * kThreads;
    if (item < kItemsB)
      tiles[kBeginB + half_ * kSizeB + item % (8u * kStep) * kRowB + item / (8u * kStep)] = held_b[j];
  }
}

// Written by the kernel: adds the products of groups [first, end) of a step, which lies in that half of the tiles.
void multiply(uint half_, uint first, uint end);

// All steps of K; the sums of each team are its own.
void tile_run(uint team) {
  const uint share = kStep / kSplit;
  uint steps = (k_groups + kStep - 1u) / kStep;
  tile_begin();
  tile_fetch(0u);
  tile_put(0u);
  barrier();
  for (uint s = 0; s < steps; ++s) {
    bool more = s + 1u < steps;
    if (more) tile_fetch(s + 1u);
    multiply(s & 1u, team * share, team * share + share);
    if (more) tile_put(1u - (s & 1u));
    barrier();
  }
}
