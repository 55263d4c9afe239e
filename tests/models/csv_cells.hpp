#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace vultus::test {

/// The cells of a table's line, whatever quotes there are.
inline std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream text(line + ",");
  for (std::string cell; std::getline(text, cell, ',');)
    cells.push_back(cell);
  return cells;
}

}  // namespace vultus::test
