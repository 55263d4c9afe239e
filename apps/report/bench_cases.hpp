#pragma once

#include <string>
#include <vector>

#include "apps/report/layers.hpp"
#include "report/page.hpp"

namespace vultus::report {

/// A run of the document, and how it is called and coloured.
struct Case {
  const Json* run = nullptr;
  std::string name, css;

  double at(const char* key) const { return number_at(*run, key); }
  const Json& split() const {
    static const Json none = Json::object();
    const auto it = run->find("split");
    return it != run->end() && it->is_object() ? *it : none;
  }
};
std::vector<Case> cases_of(const Json& bench);

// Cells of tables; empty where nothing is known.
Table::Cell ms_cell(const Json& object, const char* key);
Table::Cell count_cell(const Json& object, const char* key);
Table::Cell bytes_cell(const Json& object, const char* key);

// Sections of the bench page.
std::string times_section(const std::vector<Case>& cases);
std::string split_section(const std::vector<Case>& cases);
std::string timeline_section(const std::vector<Case>& cases);
std::string loaded_section(const std::vector<Case>& cases);

}  // namespace vultus::report
