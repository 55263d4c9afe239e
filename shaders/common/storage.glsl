// Storage type of activations and weights: the only compile-time axis (STORAGE_FP16 or STORAGE_FP32).
// Arithmetic is always fp32. A group is 8 consecutive channels of one pixel (layout nhwc8).
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_control_flow_attributes : enable

struct Group { vec4 lo, hi; };  // 8 channels in fp32

#ifdef STORAGE_FP16
#define SCALAR float16_t
#define GROUP uvec4
#define ZERO_GROUP uvec4(0)
Group unpack_group(uvec4 v) {
  return Group(vec4(unpackHalf2x16(v.x), unpackHalf2x16(v.y)), vec4(unpackHalf2x16(v.z), unpackHalf2x16(v.w)));
}
uvec4 pack_group(Group g) {
  return uvec4(packHalf2x16(g.lo.xy), packHalf2x16(g.lo.zw), packHalf2x16(g.hi.xy), packHalf2x16(g.hi.zw));
}
#define LOAD_GROUP(buffer_, i) unpack_group(buffer_[i])
#define LOAD_GROUP_IF(ok, buffer_, i) unpack_group(mix(uvec4(0), buffer_[i], bvec4(ok)))  // zero unless ok; i is valid
#define PACK_GROUP(g) pack_group(g)
#define LOAD_LOW(buffer_, i) vec4(unpackHalf2x16(buffer_[i].x), unpackHalf2x16(buffer_[i].y))  // 4 channels of 8
#define STORE_GROUP(buffer_, i, g) buffer_[i] = pack_group(g)
#else
#define SCALAR float
struct FloatGroup { vec4 lo, hi; };
#define GROUP FloatGroup
#define ZERO_GROUP FloatGroup(vec4(0), vec4(0))
#define LOAD_GROUP(buffer_, i) Group(buffer_[i].lo, buffer_[i].hi)
Group zero_unless(bool ok, Group g) { return Group(mix(vec4(0), g.lo, bvec4(ok)), mix(vec4(0), g.hi, bvec4(ok))); }
#define LOAD_GROUP_IF(ok, buffer_, i) zero_unless(ok, LOAD_GROUP(buffer_, i))
#define PACK_GROUP(g) FloatGroup((g).lo, (g).hi)
#define LOAD_LOW(buffer_, i) buffer_[i].lo
#define STORE_GROUP(buffer_, i, g) buffer_[i] = FloatGroup((g).lo, (g).hi)
#endif

// Declare with:  layout(std430, binding = 0) readonly buffer X { GROUP x[]; };     groups
//          or    layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };    scalars, read as float(x[i])
// One buffer may be declared both ways under the same binding.

const Group kZeroGroup = Group(vec4(0), vec4(0));

// Zeroes the lanes at and beyond `channels` of the group that begins at channel 8 * g: padding lanes are always zero.
Group mask_group(Group v, uint g, uint channels) {
  uint first = 8u * g;
  if (first + 8u <= channels) return v;
  uvec4 lane = uvec4(0, 1, 2, 3) + first;
  v.lo = mix(vec4(0), v.lo, lessThan(lane, uvec4(channels)));
  v.hi = mix(vec4(0), v.hi, lessThan(lane + 4u, uvec4(channels)));
  return v;
}
