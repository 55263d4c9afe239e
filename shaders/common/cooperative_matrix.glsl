// One spelling for both cooperative-matrix extensions: COOPERATIVE_KHR or COOPERATIVE_NV is defined on the command line.
// Halves in, fp32 sums, row-major; buffers are arrays of uvec4, indices and strides count uvec4. The sizes are fixed
// here; devices are asked for them by gpu/cooperative.cpp.
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_shader_subgroup_basic : require
layout(constant_id = 11) const uint kRows = 16;     // M: pixels
layout(constant_id = 12) const uint kColumns = 16;  // N: output channels
layout(constant_id = 13) const uint kDepth = 16;    // K: input channels

#ifdef COOPERATIVE_KHR
#extension GL_KHR_cooperative_matrix : require
#define MATRIX_A coopmat<float16_t, gl_ScopeSubgroup, kRows, kDepth, gl_MatrixUseA>
#define MATRIX_B coopmat<float16_t, gl_ScopeSubgroup, kDepth, kColumns, gl_MatrixUseB>
#define MATRIX_SUM coopmat<float, gl_ScopeSubgroup, kRows, kColumns, gl_MatrixUseAccumulator>
#define LOAD_MATRIX(m, from, at, stride) coopMatLoad(m, from, at, stride, gl_CooperativeMatrixLayoutRowMajor)
#define STORE_MATRIX(m, to, at, stride) coopMatStore(m, to, at, stride, gl_CooperativeMatrixLayoutRowMajor)
#define MULTIPLY_ADD(a, b, sum) coopMatMulAdd(a, b, sum)
#else
#extension GL_NV_cooperative_matrix : require
#define MATRIX_A fcoopmatNV<16, gl_ScopeSubgroup, kRows, kDepth>
#define MATRIX_B fcoopmatNV<16, gl_ScopeSubgroup, kDepth, kColumns>
#define MATRIX_SUM fcoopmatNV<32, gl_ScopeSubgroup, kRows, kColumns>
#define LOAD_MATRIX(m, from, at, stride) coopMatLoadNV(m, from, at, stride, false)
#define STORE_MATRIX(m, to, at, stride) coopMatStoreNV(m, to, at, stride, false)
#define MULTIPLY_ADD(a, b, sum) coopMatMulAddNV(a, b, sum)
#endif
