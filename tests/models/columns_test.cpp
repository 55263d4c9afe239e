// docs/columns.csv against the tables that the program writes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "models/pack/pack.hpp"
#include "models/process/tables.hpp"
#include "tests/models/csv_cells.hpp"
#include "tests/models/results.hpp"
#include "tests/models/synthetic_report.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

struct Column {
  std::string name, type;
  bool is(const std::string& heading) const {
    return name.back() == '*' ? heading.starts_with(name.substr(0, name.size() - 1))
                              : heading == name;
  }
};
using Columns = std::vector<Column>;

std::vector<std::vector<std::string>> lines_of(const std::string& text) {
  std::istringstream lines(text);
  std::vector<std::vector<std::string>> all;
  for (std::string line; std::getline(lines, line);)
    all.push_back(test::cells_of(line));
  return all;
}

/// What the document says of each table.
std::map<std::string, Columns> documented() {
  std::map<std::string, Columns> tables;
  const auto lines = lines_of(test::text_of(VULTUS_SOURCE_DIR "/docs/columns.csv"));
  EXPECT_GT(lines.size(), 1u);
  for (size_t i = 1; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].size(), 5u) << "docs/columns.csv, line " << i + 1;
    if (lines[i].size() == 5) tables[lines[i][0]].push_back({lines[i][1], lines[i][2]});
  }
  return tables;
}

bool is_of_type(const std::string& cell, const std::string& type) {
  if (type == "boolean") return cell == "0" || cell == "1";
  char* end = nullptr;
  if (type == "integer") std::strtoll(cell.c_str(), &end, 10);
  if (type == "number") std::strtod(cell.c_str(), &end);
  return type == "text" ? std::strtod(cell.c_str(), &end) == 0 : *end == '\0';
}

/// The columns that a table's headings stand for, those with a star once; and every cell is what
/// they say.
void expect_documented(const std::string& table, const std::string& text) {
  SCOPED_TRACE(table);
  const Columns columns = documented()[table];
  const auto lines = lines_of(text);
  ASSERT_GT(lines.size(), 1u);
  size_t at = 0, filled = 0;
  std::vector<std::string> types;
  for (const std::string& heading : lines[0]) {
    const bool again = at > 0 && columns[at - 1].name.back() == '*' && columns[at - 1].is(heading);
    if (!again) {
      ASSERT_LT(at, columns.size()) << heading << " is not in docs/columns.csv";
      ASSERT_TRUE(columns[at].is(heading))
          << heading << " stands where docs/columns.csv has " << columns[at].name;
      ++at;
    }
    types.push_back(columns[at - 1].type);
  }
  EXPECT_EQ(at, columns.size()) << "docs/columns.csv has columns that the table lacks";
  for (size_t row = 1; row < lines.size(); ++row)
    for (size_t i = 0; i < std::min(types.size(), lines[row].size()); ++i)
      if (const std::string& cell = lines[row][i]; !cell.empty()) {
        EXPECT_TRUE(is_of_type(cell, types[i])) << lines[0][i] << " is " << cell;
        ++filled;
      }
  EXPECT_GT(filled, 10u);
}

FaceRecord a_face(face::LandmarkScheme scheme) {
  FaceRecord record;
  record.face = {3, 0.9, {10, 20, 30.5, 60}, {}};
  record.face.landmarks.scheme = scheme;
  record.face.landmarks.points.assign(face::point_count(scheme), {1.5, -2.5});
  record.whole = record.left = record.right = face::Expression{};
  return record;
}

TEST(Columns, OfTheTablesOfFramesAreThoseOfTheDocument) {
  for (const auto scheme : {face::LandmarkScheme::wflw98, face::LandmarkScheme::ibug68}) {
    const test::TemporaryFolder folder;
    Tables tables = Tables::create(folder.path(), {scheme, usual_emotions()}).value();
    measure::FaceMeasures measures;
    measures.pose = measure::HeadPose{1.5, -2.25, 600, 0.1, -0.2, 0.3, 0};
    measures.quality = {measure::Flag::pitch};
    measures.left = measures.right = {.ear = 0.3, .closure = 0.75, .au43 = 0, .au45 = 0.75};
    ASSERT_TRUE(tables.add({1, 0.0, false, {a_face(scheme)}}, {&measures, 1}));
    ASSERT_TRUE(tables.add({2, 0.1, false, {}}));
    ASSERT_TRUE(tables.finish());
    for (const std::string& name : Tables::names())
      expect_documented(name, test::text_of(std::filesystem::path(folder.path()) / name));
  }
}

TEST(Columns, OfTheSheetAreThoseOfTheDocument) {
  expect_documented("asymmetry.csv", to_csv(test::synthetic_sheet()));
}

TEST(Columns, TheDocumentHasNoOtherTables) {
  std::vector<std::string> names = Tables::names(), found;
  names.push_back("asymmetry.csv");
  for (const auto& [name, columns] : documented())
    found.push_back(name);
  std::ranges::sort(names);
  EXPECT_EQ(found, names);
}

}  // namespace
}  // namespace vultus
