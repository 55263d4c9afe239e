#include "models/process/openface_table.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "tests/models/csv_cells.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

using test::cells_of;

TEST(OpenFaceTable, TheHeaderIsThatOfVersionTwoPointTwo) {
  const std::vector<std::string> columns = cells_of(openface_header());
  ASSERT_EQ(columns.size(), 714u);
  // Where each block begins, from a file that OpenFace 2.2.0 wrote.
  const std::map<size_t, std::string> begins{
      {0, "frame"},        {5, "gaze_0_x"},      {11, "gaze_angle_x"}, {13, "eye_lmk_x_0"},
      {69, "eye_lmk_y_0"}, {125, "eye_lmk_X_0"}, {237, "eye_lmk_Z_0"}, {293, "pose_Tx"},
      {299, "x_0"},        {367, "y_0"},         {435, "X_0"},         {571, "Z_0"},
      {639, "p_scale"},    {645, "p_0"},         {679, "AU01_r"},      {695, "AU45_r"},
      {696, "AU01_c"},     {711, "AU26_c"},      {712, "AU28_c"},      {713, "AU45_c"}};
  for (const auto& [index, name] : begins)
    EXPECT_EQ(columns[index], name) << index;
}

TEST(OpenFaceTable, TheHeaderHasEachOfThe714NamesInItsPlace) {
  std::string line = "frame,face_id,timestamp,confidence,success";
  for (const char* eye : {"0", "1"})
    for (const char* axis : {"x", "y", "z"})
      line += std::string(",gaze_") + eye + "_" + axis;
  line += ",gaze_angle_x,gaze_angle_y";
  const auto numbered = [&](const std::string& name, int count) {
    for (int i = 0; i < count; ++i)
      line += "," + name + std::to_string(i);
  };
  for (const std::string axis : {"x", "y", "X", "Y", "Z"})
    numbered("eye_lmk_" + axis + "_", 56);
  for (const char* part : {"T", "R"})
    for (const char* axis : {"x", "y", "z"})
      line += std::string(",pose_") + part + axis;
  for (const std::string axis : {"x", "y", "X", "Y", "Z"})
    numbered(axis + "_", 68);
  for (const char* part : {"scale", "rx", "ry", "rz", "tx", "ty"})
    line += std::string(",p_") + part;
  numbered("p_", 34);
  const std::vector<std::string> before{"01", "02", "04", "05", "06", "07", "09", "10",
                                        "12", "14", "15", "17", "20", "23", "25", "26"};
  for (const std::string& unit : before)
    line += ",AU" + unit + "_r";
  line += ",AU45_r";
  for (const std::string& unit : before)
    line += ",AU" + unit + "_c";
  line += ",AU28_c,AU45_c";
  EXPECT_EQ(cells_of(line).size(), 714u);
  EXPECT_EQ(openface_header(), line);
}

class OpenFaceRows : public testing::Test {
 protected:
  using Row = std::map<std::string, std::string>;

  static FaceRecord a_face(face::LandmarkScheme scheme) {
    FaceRecord record;
    record.face = {3, 0.98765, {10, 20, 30, 60}, {scheme, {}}};
    for (size_t i = 0; i < face::point_count(scheme); ++i)
      record.face.landmarks.points.emplace_back(static_cast<double>(i),
                                                1000 + static_cast<double>(i));
    record.whole = face::Expression{};
    record.whole->action_units = {0.51f, 0.49f, 0.9f, 0.1f, 0.9f, 0.1f, 0.9f, 0.1f};
    record.whole->gaze_yaw = 0.3f;
    record.whole->gaze_pitch = -0.2f;
    return record;
  }
  std::vector<Row> write(const std::vector<FrameRecord>& records,
                         const measure::FaceMeasures& measures) const {
    OpenFaceTable table = OpenFaceTable::create(folder_.path()).value();
    for (const FrameRecord& record : records)
      table.add(record, std::vector<measure::FaceMeasures>(record.faces.size(), measures)).value();
    table.finish().value();
    std::ifstream file(folder_.path() + "/openface.csv");
    std::string line;
    std::getline(file, line);
    const std::vector<std::string> columns = cells_of(line);
    std::vector<Row> rows;
    while (std::getline(file, line)) {
      const std::vector<std::string> cells = cells_of(line);
      EXPECT_EQ(cells.size(), columns.size());
      Row& row = rows.emplace_back();
      for (size_t i = 0; i < columns.size(); ++i)
        row[columns[i]] = cells[i];
    }
    return rows;
  }

  const test::TemporaryFolder folder_;
};

TEST_F(OpenFaceRows, HoldWhatIsMeasuredAndNothingElse) {
  measure::FaceMeasures measures;
  measures.pose = measure::HeadPose{1.25, -2, 600, 0.1, -0.2, 0.3, 0};
  measures.left.au45 = 0.9;
  measures.right.au45 = 0.4;
  const auto rows =
      write({{1, 0.5, false, {a_face(face::LandmarkScheme::wflw98)}}, {2, 0.5333333, true, {}}},
            measures);
  ASSERT_EQ(rows.size(), 2u);
  Row expected;
  for (const auto& [column, cell] : rows[0])
    expected[column] = "";
  for (const auto& [column, cell] :
       Row{{"frame", "1"},         {"face_id", "3"},     {"timestamp", "0.500"},
           {"confidence", "0.99"}, {"success", "1"},     {"pose_Tx", "1.2"},
           {"pose_Ty", "-2.0"},    {"pose_Tz", "600.0"}, {"pose_Rx", "0.103"},
           {"pose_Ry", "-0.198"},  {"pose_Rz", "0.300"}, {"AU01_c", "1.00"},
           {"AU02_c", "0.00"},     {"AU04_c", "1.00"},   {"AU06_c", "0.00"},
           {"AU09_c", "1.00"},     {"AU12_c", "0.00"},   {"AU25_c", "1.00"},
           {"AU26_c", "0.00"},     {"AU45_c", "1.00"},   {"gaze_angle_x", "-0.300"}})
    expected[column] = cell;
  // y = sin 0.2, z = -cos 0.2 cos 0.3.
  expected["gaze_angle_y"] =
      fmt::format("{:.3f}", std::atan2(std::sin(0.2), std::cos(0.2) * std::cos(0.3)));
  // Points that have the same meaning in both schemes: iBUG's number and WFLW's.
  const std::map<int, int> same{{0, 0},   {8, 16},  {16, 32}, {17, 33}, {26, 46}, {27, 51},
                                {30, 54}, {33, 57}, {36, 60}, {39, 64}, {42, 68}, {45, 72},
                                {48, 76}, {54, 82}, {57, 85}, {60, 88}, {64, 92}};
  for (const auto& [ibug, wflw] : same) {
    EXPECT_EQ(rows[0].at(fmt::format("x_{}", ibug)), fmt::format("{}.0", wflw));
    EXPECT_EQ(rows[0].at(fmt::format("y_{}", ibug)), fmt::format("{}.0", 1000 + wflw));
  }
  for (int i = 0; i < 68; ++i)
    for (const char* axis : {"x", "y"}) {
      const std::string column = fmt::format("{}_{}", axis, i);
      EXPECT_NE(rows[0].at(column), "");
      expected[column] = rows[0].at(column);
    }
  EXPECT_EQ(rows[0], expected);
  for (const auto& [column, cell] : rows[1])
    EXPECT_EQ(cell, column == "frame"        ? "2"
                    : column == "timestamp"  ? "0.533"
                    : column == "confidence" ? "0.00"
                    : column == "success"    ? "0"
                                             : "")
        << column;
  EXPECT_EQ(OpenFaceTable::verify(folder_.path(), 2).value(), 1);
  EXPECT_FALSE(OpenFaceTable::verify(folder_.path(), 3));
}

TEST_F(OpenFaceRows, TheHeadIsTurnedAgainstTheCamerasAxes) {
  measure::FaceMeasures measures;
  measures.pose = measure::HeadPose{300, 0, 600, 0, 0, 0, 0};
  const Row row = write({{1, 0.5, false, {a_face(face::LandmarkScheme::wflw98)}}}, measures).at(0);
  EXPECT_EQ(row.at("pose_Rx"), "0.000");
  EXPECT_EQ(row.at("pose_Ry"), "0.464") << "into the camera is to the left";
  EXPECT_EQ(row.at("pose_Rz"), "0.000");
}

TEST_F(OpenFaceRows, EyesThatStayShutArePresentAsABlinkIs) {
  const auto presence = [&](const measure::EyeMeasures& left, const measure::EyeMeasures& right) {
    measure::FaceMeasures measures;
    measures.left = left;
    measures.right = right;
    return write({{1, 0.5, false, {a_face(face::LandmarkScheme::wflw98)}}}, measures)
        .at(0)
        .at("AU45_c");
  };
  const measure::EyeMeasures open{.ear = 0.3, .closure = 0.1, .au43 = 0, .au45 = 0.1};
  const measure::EyeMeasures blink{.ear = 0.1, .closure = 1, .au43 = 0, .au45 = 1};
  const measure::EyeMeasures shut{.ear = 0.1, .closure = 1, .au43 = 1, .au45 = 0};
  EXPECT_EQ(presence(shut, shut), "1.00");
  EXPECT_EQ(presence(shut, blink), "1.00") << "one eye began earlier";
  EXPECT_EQ(presence(shut, open), "1.00");
  EXPECT_EQ(presence(open, open), "0.00");
  EXPECT_EQ(presence(shut, {}), "");
}

TEST_F(OpenFaceRows, WhatIsRoundedToNothingHasNoSign) {
  measure::FaceMeasures measures;
  measures.pose = measure::HeadPose{-0.04, 0, 600, -0.0004, -0.0006, -0.0, 0};
  FaceRecord face = a_face(face::LandmarkScheme::wflw98);
  face.whole->gaze_yaw = 0.0004f;
  const Row row = write({{1, 0.5, false, {face}}}, measures).at(0);
  for (const auto& [column, cell] : Row{{"pose_Tx", "0.0"},
                                        {"pose_Rx", "0.000"},
                                        {"pose_Ry", "-0.001"},
                                        {"pose_Rz", "0.000"},
                                        {"gaze_angle_x", "0.000"}})
    EXPECT_EQ(row.at(column), cell) << column;
}

TEST_F(OpenFaceRows, SixtyEightPointsKeepTheirNumbers) {
  FaceRecord face = a_face(face::LandmarkScheme::ibug68);
  face.whole = std::nullopt;
  const auto rows = write({{1, std::nullopt, false, {face}}}, {});
  for (int i = 0; i < 68; ++i)
    EXPECT_EQ(rows[0].at(fmt::format("x_{}", i)), fmt::format("{}.0", i));
  for (const char* column : {"timestamp", "gaze_angle_x", "pose_Rx", "AU01_c", "AU45_c"})
    EXPECT_EQ(rows[0].at(column), "") << column;
}

}  // namespace
}  // namespace vultus
