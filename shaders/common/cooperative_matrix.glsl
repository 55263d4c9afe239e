// One spelling for both cooperative-matrix extensions: COOPERATIVE_KHR or COOPERATIVE_NV is defined on the command line.
// Halves in, fp32 sums, row-major; buffers are arrays of uvec4, indices and strides count uvec4. Devices are asked for
// the sizes by gpu/cooperative.cpp. Without either extension the matrices are computed in plain arithmetic, so that tests
// can run the kernel where there are none. Included after conv_tile.glsl.
#extension GL_KHR_shader_subgroup_basic : require
layout(constant_id = 11) const uint kRows = 16;     // M: pixels
layout(constant_id = 12) const uint kColumns = 16;  // N: output channels
layout(constant_id = 13) const uint kDepth = 16;    // K: input channels

#if defined(COOPERATIVE_KHR)
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_cooperative_matrix : require
#define MATRIX_A coopmat<float16_t, gl_ScopeSubgroup, kRows, kDepth, gl_MatrixUseA>
#define MATRIX_B coopmat<float16_t, gl_ScopeSubgroup, kDepth, kColumns, gl_MatrixUseB>
#define MATRIX_SUM coopmat<float, gl_ScopeSubgroup, kRows, kColumns, gl_MatrixUseAccumulator>
#define LOAD_MATRIX(m, from, at, stride) coopMatLoad(m, from, at, stride, gl_CooperativeMatrixLayoutRowMajor)
#define STORE_MATRIX(m, to, at, stride) coopMatStore(m, to, at, stride, gl_CooperativeMatrixLayoutRowMajor)
#define MULTIPLY_ADD(a, b, sum) coopMatMulAdd(a, b, sum)
#define ZERO_SUM MATRIX_SUM(0.0)
#elif defined(COOPERATIVE_NV)
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_NV_cooperative_matrix : require
#define MATRIX_A fcoopmatNV<16, gl_ScopeSubgroup, kRows, kDepth>
#define MATRIX_B fcoopmatNV<16, gl_ScopeSubgroup, kDepth, kColumns>
#define MATRIX_SUM fcoopmatNV<32, gl_ScopeSubgroup, kRows, kColumns>
#define LOAD_MATRIX(m, from, at, stride) coopMatLoadNV(m, from, at, stride, false)
#define STORE_MATRIX(m, to, at, stride) coopMatStoreNV(m, to, at, stride, false)
#define MULTIPLY_ADD(a, b, sum) coopMatMulAddNV(a, b, sum)
#define ZERO_SUM MATRIX_SUM(0.0)
#else
struct Factor { uint at, stride; };          // where it lies; nothing overwrites it before it is multiplied
struct Sum { vec4 row[8]; };                  // two rows of 16 columns: invocations 0 to 7 have two each
#define MATRIX_A Factor
#define MATRIX_B Factor
#define MATRIX_SUM Sum
#define LOAD_MATRIX(m, from, at, stride) m = Factor(at, stride)
#define STORE_MATRIX(m, to, at, stride) store_sum(m, at, stride)
#define MULTIPLY_ADD(a, b, sum) multiply_add(a, b, sum)
#define ZERO_SUM Sum(vec4[8](vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0), vec4(0)))
Sum multiply_add(Factor a, Factor b, Sum sum) {
  if (gl_SubgroupInvocationID >= 8u) return sum;
  for (uint g = 0; g < 2u; ++g) {
    Group upper = LOAD_GROUP(tiles, a.at + gl_SubgroupInvocationID * a.stride + g);
    Group lower = LOAD_GROUP(tiles, a.at + (gl_SubgroupInvocationID + 8u) * a.stride + g);
    for (uint k = 0; k < 8u; ++k) {
      float u = k < 4u ? upper.lo[k] : upper.hi[k - 4u], l = k < 4u ? lower.lo[k] : lower.hi[k - 4u];
      Group left = LOAD_GROUP(tiles, b.at + (8u * g + k) * b.stride);
      Group right = LOAD_GROUP(tiles, b.at + (8u * g + k) * b.stride + 1u);
      vec4 columns[4] = vec4[4](left.lo, left.hi, right.lo, right.hi);
      [[unroll]] for (uint c = 0; c < 4u; ++c) {
        sum.row[c] += u * columns[c];
        sum.row[4u + c] += l * columns[c];
      }
    }
  }
  return sum;
}
void store_sum(Sum sum, uint at, uint stride) {
  if (gl_SubgroupInvocationID >= 8u) return;
  [[unroll]] for (uint c = 0; c < 4u; ++c) {
    tiles[at + gl_SubgroupInvocationID * stride + c] = floatBitsToUint(sum.row[c]);
    tiles[at + (gl_SubgroupInvocationID + 8u) * stride + c] = floatBitsToUint(sum.row[4u + c]);
  }
}
#endif
