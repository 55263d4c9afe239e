// The flat index of an invocation: hosts fold long dispatches over x and y (gpu/ops/strided.hpp, fold).
const uint kFoldRow = 1u << 21;
uint thread_index() {
  return gl_GlobalInvocationID.y * kFoldRow + gl_GlobalInvocationID.x;
}
uint team_index() {
  return gl_WorkGroupID.y * (kFoldRow / gl_WorkGroupSize.x) + gl_WorkGroupID.x;
}

const int kMaxLevels = 6;  // gpu/ops/strided.hpp
