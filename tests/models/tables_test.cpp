#include "models/process/tables.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "models/pack/pack.hpp"
#include "tests/models/csv_cells.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

using Rows = std::vector<std::map<std::string, std::string>>;

class TablesTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const {
    return (std::filesystem::path(folder_.path()) / name).string();
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  Rows rows(const std::string& name) const {
    std::istringstream lines(read(name));
    std::vector<std::string> header;
    Rows rows;
    for (std::string line; std::getline(lines, line);) {
      const std::vector<std::string> cells = test::cells_of(line);
      if (header.empty()) {
        header = cells;
        continue;
      }
      EXPECT_EQ(cells.size(), header.size()) << name;
      std::map<std::string, std::string> row;
      for (size_t i = 0; i < std::min(cells.size(), header.size()); ++i)
        row[header[i]] = cells[i];
      rows.push_back(std::move(row));
    }
    return rows;
  }
  /// Three frames: a face, none, two faces of which one has no midline.
  void write_three() const {
    Tables tables = Tables::create(folder_.path(), layout_).value();
    ASSERT_TRUE(tables.add({1, 0.0, false, {a_face(0)}}));
    ASSERT_TRUE(tables.add({2, 1.0 / 30, true, {}, 3003}));
    FaceRecord without_midline = a_face(4);
    without_midline.left = without_midline.right = std::nullopt;
    ASSERT_TRUE(tables.add({3, std::nullopt, false, {a_face(0), without_midline}}));
    ASSERT_TRUE(tables.finish());
  }

  static FaceRecord a_face(int id) {
    FaceRecord record;
    record.face = {id, 0.98765, {10, 20, 30.5, 60}, {}};
    record.face.landmarks.scheme = face::LandmarkScheme::ibug68;
    for (int i = 0; i < 68; ++i)
      record.face.landmarks.points.emplace_back(i + 0.25, -i);
    face::Expression whole;
    whole.action_units = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f};
    whole.emotions = {0.1f, 0.05f, 0.05f, 0.6f, 0.05f, 0.05f, 0.05f, 0.05f};
    whole.gaze_yaw = 0.25f;
    whole.gaze_pitch = -0.125f;
    record.whole = record.left = record.right = whole;
    record.left->action_units = {0.01f, 0.02f, 0.04f, 0.06f, 0.09f, 0.12f, 0.25f, 0.26f};
    record.right->action_units = {0.91f, 0.92f, 0.94f, 0.96f, 0.99f, 0.82f, 0.75f, 0.76f};
    return record;
  }

  const test::TemporaryFolder folder_;
  const TableLayout layout_{face::LandmarkScheme::ibug68, usual_emotions()};
};

TEST_F(TablesTest, EveryFrameHasARowAndEmptyCellsWhereNothingWasMeasured) {
  write_three();
  const Rows points = rows("landmarks.csv"), left = rows("left.csv"), right = rows("right.csv");
  ASSERT_EQ(points.size(), 4u);
  ASSERT_EQ(left.size(), 4u);
  ASSERT_EQ(right.size(), 4u);
  EXPECT_EQ(read("landmarks.csv").rfind("frame,face_id,timestamp,confidence,success,x_0,x_1,", 0),
            0u);
  EXPECT_EQ(points[0].at("confidence"), "0.9877");
  EXPECT_EQ(points[0].at("x_67"), "67.250");
  EXPECT_EQ(points[0].at("y_67"), "-67.000");
  EXPECT_EQ(points[0].at("box_w"), "20.500");
  EXPECT_EQ(points[0].at("gaze_yaw"), "0.2500");
  EXPECT_EQ(points[0].at("gaze_pitch"), "-0.1250");
  EXPECT_EQ(points[0].at("emotion"), "surprise");
  EXPECT_EQ(points[0].at("emotion_surprise"), "0.6000");
  for (const Rows* table : {&points, &left, &right}) {
    std::map<std::string, std::string> expected = (*table)[1];
    for (auto& [column, cell] : expected)
      if (column != "side") cell.clear();
    expected["frame"] = "2";
    expected["timestamp"] = "0.033333";
    expected["success"] = "0";
    if (table == &points) {
      expected["quality"] = "not_decoded";
      expected["pts"] = "3003";
      EXPECT_EQ(points[0].at("pts"), "0");
      EXPECT_EQ(points[2].at("pts"), "") << "of a picture";
    }
    EXPECT_EQ((*table)[1], expected);
    EXPECT_EQ((*table)[2].at("timestamp"), "");
    EXPECT_EQ((*table)[3].at("frame"), "3");
    EXPECT_EQ((*table)[3].at("face_id"), "4");
  }
  EXPECT_EQ(Tables::verify(folder_.path(), layout_, 3).value(), 3);
}

TEST_F(TablesTest, ActionUnitsHaveTheirTrueNamesAndTheSubjectsSide) {
  write_three();
  const std::map<std::string, std::string> left = rows("left.csv")[0], right = rows("right.csv")[0];
  const std::map<std::string, std::pair<std::string, std::string>> expected{
      {"AU01", {"0.0100", "0.9100"}}, {"AU02", {"0.0200", "0.9200"}},
      {"AU04", {"0.0400", "0.9400"}}, {"AU06", {"0.0600", "0.9600"}},
      {"AU09", {"0.0900", "0.9900"}}, {"AU12", {"0.1200", "0.8200"}},
      {"AU25", {"0.2500", "0.7500"}}, {"AU26", {"0.2600", "0.7600"}}};
  for (const auto& [unit, scores] : expected) {
    EXPECT_EQ(left.at(unit), scores.first) << unit;
    EXPECT_EQ(right.at(unit), scores.second) << unit;
    EXPECT_EQ(rows("left.csv")[3].at(unit), "") << unit;
  }
  EXPECT_EQ(left.at("side"), "left");
  EXPECT_EQ(right.at("side"), "right");
}

TEST_F(TablesTest, ActionUnitsThatAFlagMakesDoubtfulAreEmpty) {
  using measure::Flag;
  const std::vector<std::pair<measure::Flags, bool>> cases{
      {{}, true},
      {{Flag::yaw}, false},
      {{Flag::roll}, false},
      {{Flag::partial}, false},
      {{Flag::low_score}, false},
      {{Flag::two_faces, Flag::yaw}, false},
      {{Flag::pitch, Flag::small_face, Flag::two_faces}, true}};
  Tables tables = Tables::create(folder_.path(), layout_).value();
  for (size_t i = 0; i < cases.size(); ++i) {
    measure::FaceMeasures measures;
    measures.quality = cases[i].first;
    ASSERT_TRUE(tables.add({static_cast<int64_t>(i + 1), 0.0, false, {a_face(0)}}, {&measures, 1}));
  }
  ASSERT_TRUE(tables.finish());
  for (const char* name : {"left.csv", "right.csv"})
    for (size_t i = 0; i < cases.size(); ++i)
      for (std::string_view unit : face::Expression::kActionUnits)
        EXPECT_NE(rows(name)[i].at(std::string(unit)).empty(), cases[i].second)
            << name << " " << cases[i].first.text() << " " << unit;
  EXPECT_EQ(rows("landmarks.csv")[1].at("emotion"), "surprise") << "of the whole face";
}

TEST_F(TablesTest, PoseEyesAndQualityStandBesideTheirFace) {
  Tables tables = Tables::create(folder_.path(), layout_).value();
  std::vector<measure::FaceMeasures> measures(2);
  measures[1].pose = measure::HeadPose{1.5, -2.25, 600, 0.1, -0.2, 0.3, 0};
  measures[1].quality = {measure::Flag::yaw, measure::Flag::partial};
  measures[1].left = {.ear = 0.3, .closure = 0.75, .au43 = 0, .au45 = 0.75};
  measures[1].right = {.ear = 0.1, .closure = 1, .au43 = 1, .au45 = 0};
  FaceRecord second = a_face(1);
  second.blur = 0.5;
  ASSERT_TRUE(tables.add({1, 0.0, false, {a_face(0), second}}, measures));
  ASSERT_TRUE(tables.finish());
  const Rows points = rows("landmarks.csv"), left = rows("left.csv"), right = rows("right.csv");
  const std::map<std::string, std::string> expected{
      {"pose_Tx", "1.50"},        {"pose_Ty", "-2.25"},   {"pose_Tz", "600.00"},
      {"pose_Rx", "0.1000"},      {"pose_Ry", "-0.2000"}, {"pose_Rz", "0.3000"},
      {"quality", "yaw|partial"}, {"blur", "0.5000"}};
  for (const auto& [column, cell] : expected) {
    EXPECT_EQ(points[1].at(column), cell) << column;
    EXPECT_EQ(points[0].at(column), "") << column;
  }
  EXPECT_EQ(left[1].at("AU45"), "0.7500");
  EXPECT_EQ(left[1].at("AU43"), "0.0000");
  EXPECT_EQ(right[1].at("AU45"), "0.0000");
  EXPECT_EQ(right[1].at("AU43"), "1.0000");
  EXPECT_EQ(right[0].at("AU43"), "");
  EXPECT_EQ(Tables::verify(folder_.path(), layout_, 1).value(), 2);
}

TEST_F(TablesTest, WhatIsRoundedToNothingHasNoSign) {
  FaceRecord face = a_face(0);
  face.whole->gaze_yaw = -0.00004f;
  face.face.landmarks.points[3].x = -0.0004;
  std::vector<measure::FaceMeasures> measures(1);
  measures[0].pose = measure::HeadPose{-0.004, -0.006, 600, -0.00004, -0.0, -0.00006, 0};
  Tables tables = Tables::create(folder_.path(), layout_).value();
  ASSERT_TRUE(tables.add({1, 0.0, false, {face}}, measures));
  ASSERT_TRUE(tables.finish());
  const std::map<std::string, std::string> row = rows("landmarks.csv")[0];
  for (const auto& [column, cell] : std::map<std::string, std::string>{{"pose_Tx", "0.00"},
                                                                       {"pose_Ty", "-0.01"},
                                                                       {"pose_Rx", "0.0000"},
                                                                       {"pose_Ry", "0.0000"},
                                                                       {"pose_Rz", "-0.0001"},
                                                                       {"gaze_yaw", "0.0000"},
                                                                       {"x_3", "0.000"}})
    EXPECT_EQ(row.at(column), cell) << column;
}

TEST_F(TablesTest, MissingRowsAndCellsAreFoundByReadingThemAgain) {
  write_three();
  const std::string folder = folder_.path();
  EXPECT_EQ(Tables::verify(folder, layout_, 4).error().code, Errc::mismatch);
  EXPECT_FALSE(Tables::verify(folder, {face::LandmarkScheme::wflw98, usual_emotions()}, 3));
  for (const std::string& name : Tables::names()) {
    const std::string good = read(name);
    std::ofstream(path(name), std::ios::binary) << good.substr(0, good.size() - 40);
    EXPECT_FALSE(Tables::verify(folder, layout_, 3)) << name;
    std::ofstream(path(name), std::ios::binary)
        << good << "5" << std::string(static_cast<size_t>(std::ranges::count(good, ',')) / 5, ',')
        << "\n";
    EXPECT_FALSE(Tables::verify(folder, layout_, 5)) << name;
    std::ofstream(path(name), std::ios::binary) << good;
    EXPECT_TRUE(Tables::verify(folder, layout_, 3)) << name;
  }
}

}  // namespace
}  // namespace vultus
