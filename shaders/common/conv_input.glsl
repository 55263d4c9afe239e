// The scale of a convolution's input per image and channel group (squeeze-and-excitation). Include after storage.glsl.
layout(std430, binding = 7) readonly buffer Scale { GROUP scale[]; };

// Group `g` of `groups` of image `n`: what pixels of that image are multiplied by.
#define LOAD_SCALE(n, groups, g) LOAD_GROUP(scale, (n) * (groups) + (g))
Group scaled(Group a, Group by) { return Group(a.lo * by.lo, a.hi * by.hi); }
