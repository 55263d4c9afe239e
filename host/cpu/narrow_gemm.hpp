#pragma once

#include <cstdint>

namespace vultus::cpu {

/// Most rows that `narrow_gemm` takes.
constexpr int64_t kNarrowRows = 4;

/// y [rows, columns] = a [rows, depth] * w [columns, depth] transposed + bias [columns] (null:
/// none), everything dense. For few rows and many weights: each weight is read once, as fast as
/// memory gives it. Threads share the columns.
void narrow_gemm(const float* a, const float* w, const float* bias, float* y, int64_t rows,
                 int64_t columns, int64_t depth);

/// Most rows that `panel_gemm` takes, and channels of a panel.
constexpr int64_t kPanelRows = 16;
constexpr int64_t kPanelColumns = 32;

/// The same for some more rows: weights in panels of 32 columns [panel][depth][32], `columns` a
/// multiple of 32.
void panel_gemm(const float* a, const float* panels, const float* bias, float* y, int64_t rows,
                int64_t columns, int64_t depth);

}  // namespace vultus::cpu
