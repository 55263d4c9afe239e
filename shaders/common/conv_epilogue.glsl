// What every convolution does with a finished sum of 8 channels, in fp32:
//   y = activation(sum + residual + addend),  z = second_activation(scale * y + shift).
// The addend is a map of 1/kAddendH of the height and 1/kAddendW of the width, repeated to the output's size; it may be
// added after the activation instead. Sums start from epilogue_bias. Counterpart: gpu/ops/conv_epilogue.hpp.
//
// Belongs to it: bindings 2 to 6, specialisation constants 0 to 4, the first member of the push block:
//   layout(push_constant) uniform Push { EpiloguePush epilogue; ... };
// Included after storage.glsl and activation.glsl. In its functions a pixel is counted through batch, height and width of
// the output; g is the group of 8 output channels.
layout(constant_id = 0) const uint kParts = 8;  // what there is, bits as below
layout(constant_id = 1) const uint kActivation = 0;
layout(constant_id = 2) const uint kSecondActivation = 0;
layout(constant_id = 3) const uint kAddendH = 1;
layout(constant_id = 4) const uint kAddendW = 1;
const bool kHasResidual = (kParts & 1u) != 0u;
const bool kHasAddend = (kParts & 2u) != 0u;
const bool kAddendLast = (kParts & 4u) != 0u;      // after the activation
const bool kStoresFirst = (kParts & 8u) != 0u;     // y is wanted
const bool kStoresSecond = (kParts & 16u) != 0u;   // z is
const bool kAddendShared = (kParts & 32u) != 0u;   // one addend for all images

layout(std430, binding = 2) readonly buffer Channels { vec4 per_channel[]; };  // bias, scale, shift: 8 numbers a group
layout(std430, binding = 3) readonly buffer Residual { GROUP residual[]; };
layout(std430, binding = 4) readonly buffer Addend { GROUP addend[]; };
layout(std430, binding = 5) writeonly buffer Output { GROUP y[]; };
layout(std430, binding = 6) writeonly buffer SecondOutput { GROUP z[]; };

struct EpiloguePush {
  uint channels;  // of the output
  float alpha, beta, second_alpha, second_beta;
  uint map_h, map_w;  // of the output
  // Where y lies in a pixel of a wider tensor: groups of that pixel and y's first one. 0, 0: y is all of it.
  uint place_groups, place_first;
};

uint epilogue_groups(EpiloguePush e) { return (e.channels + 7u) / 8u; }

// What a sum starts from.
Group epilogue_bias(uint g) { return Group(per_channel[2u * g], per_channel[2u * g + 1u]); }

struct SecondAffine { Group scale, shift; };
// To be loaded once for all pixels of a group.
SecondAffine epilogue_affine(EpiloguePush e, uint g) {
  if (!kStoresSecond) return SecondAffine(kZeroGroup, kZeroGroup);
  uint scale = 2u * (g + epilogue_groups(e)), shift = scale + 2u * epilogue_groups(e);
  return SecondAffine(Group(per_channel[scale], per_channel[scale + 1u]),
                      Group(per_channel[shift], per_channel[shift + 1u]));
}

uint epilogue_addend_pixel(EpiloguePush e, uint pixel) {
  if (kAddendH == 1u && kAddendW == 1u && !kAddendShared) return pixel;
  uint row = pixel / e.map_w, column = pixel - row * e.map_w;
  uint n = row / e.map_h;
  uint line = (row - n * e.map_h) / kAddendH;
  if (!kAddendShared) line += n * (e.map_h / kAddendH);
  return line * (e.map_w / kAddendW) + column / kAddendW;
}

void epilogue_store(EpiloguePush e, Group v, uint pixel, uint g, SecondAffine second) {
  uint groups = epilogue_groups(e), at = pixel * groups + g;
  if (kHasResidual) {
    Group r = LOAD_GROUP(residual, at);
    v = Group(v.lo + r.lo, v.hi + r.hi);
  }
  Group a = kZeroGroup;
  if (kHasAddend) a = LOAD_GROUP(addend, epilogue_addend_pixel(e, pixel) * groups + g);
  if (kHasAddend && !kAddendLast) v = Group(v.lo + a.lo, v.hi + a.hi);
  v = Group(activate(v.lo, kActivation, e.alpha, e.beta),
            activate(v.hi, kActivation, e.alpha, e.beta));
  if (kHasAddend && kAddendLast) v = Group(v.lo + a.lo, v.hi + a.hi);
  uint place = e.place_groups == 0u ? at : pixel * e.place_groups + e.place_first + g;
  if (kStoresFirst) STORE_GROUP(y, place, mask_group(v, g, e.channels));
  if (kStoresSecond) {
    v = Group(v.lo * second.scale.lo + second.shift.lo, v.hi * second.scale.hi + second.shift.hi);
    v = Group(activate(v.lo, kSecondActivation, e.second_alpha, e.second_beta),
              activate(v.hi, kSecondActivation, e.second_alpha, e.second_beta));
    STORE_GROUP(z, at, mask_group(v, g, e.channels));
  }
}
