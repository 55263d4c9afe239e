#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string_view>

#include "models/measure/sheet.hpp"

namespace vultus::test {

/// The row of that measure; throws where the sheet has none, so that the test fails.
inline const measure::SheetRow& row(const measure::Sheet& sheet, std::string_view name,
                                    measure::SheetRow::State state, std::string_view unit) {
  for (const measure::SheetRow& row : sheet.rows)
    if (row.measure->name == name && row.state == state && row.unit == unit) return row;
  throw std::out_of_range(fmt::format("{} {}", name, unit));
}

}  // namespace vultus::test
