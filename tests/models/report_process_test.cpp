// report.html and performance.* as `process` writes them, on the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/models/csv_cells.hpp"
#include "tests/models/process_fixture.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

using nlohmann::json;

class ReportedProcess : public test::ProcessFixture {
 protected:
  void SetUp() override {
    ProcessFixture::SetUp();
    options_.overlay = false;
    options_.mirror = false;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(root_ / "out/vfr" / name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  /// A column of a table by its heading, from top to bottom.
  std::vector<std::string> column(const std::string& table, const std::string& heading) const {
    std::istringstream lines(read(table));
    std::vector<std::string> values;
    size_t at = 0;
    for (std::string line; std::getline(lines, line);) {
      const std::vector<std::string> cells = test::cells_of(line);
      if (at == 0)
        at = static_cast<size_t>(std::ranges::find(cells, heading) - cells.begin());
      else
        values.push_back(cells.at(at));
    }
    return values;
  }
};

TEST_F(ReportedProcess, TheCurvesOfThePageAreTheColumnsOfTheTables) {
  const auto summary = process_input(test::shared("media/vfr.mp4"), options_);
  ASSERT_TRUE(summary) << summary.error().what;
  const std::string page = read("report.html");
  const size_t begin = page.find("id=\"data\">") + 10;
  const json data = json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  int measured = 0;
  for (const char* side : {"left", "right"})
    for (size_t unit = 0; unit < data["units"].size(); ++unit) {
      const auto cells =
          column(std::string(side) + ".csv", data["units"][unit][0].get<std::string>());
      const json& series = data["faces"][0][side][unit];
      ASSERT_EQ(cells.size(), series.size());
      for (size_t i = 0; i < cells.size(); ++i) {
        ASSERT_EQ(cells[i].empty(), series[i].is_null()) << side << unit << " " << i;
        if (cells[i].empty()) continue;
        EXPECT_NEAR(std::stod(cells[i]), series[i].get<double>() / 1000, 0.00051);
        ++measured;
      }
    }
  EXPECT_GT(measured, 20);
  EXPECT_NE(page.find("data:image/jpeg;base64,"), std::string::npos);
}

TEST_F(ReportedProcess, StagesFitIntoTheWallClockAndTheReportCanBeLeftOut) {
  options_.report = false;
  const auto summary = process_input(test::shared("media/vfr.mp4"), options_);
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_FALSE(std::filesystem::exists(root_ / "out/vfr/report.html"));
  const json performance = json::parse(read("performance.json"));
  EXPECT_LE(performance["busy_seconds"], performance["run_wall_seconds"]);
  double sum = 0;
  for (const json& stage : performance["stages"]) {
    EXPECT_LE(stage["min_ms"], stage["mean_ms"]);
    EXPECT_LE(stage["mean_ms"], stage["max_ms"]);
    EXPECT_LE(stage["wall_ms"].get<double>(), stage["total_ms"].get<double>() * 1.001);
    sum += stage["total_ms"].get<double>();
  }
  EXPECT_NEAR(sum / 1000, performance["thread_seconds"].get<double>(), 1e-6);
  EXPECT_NE(read("performance.txt").find("Sum over threads"), std::string::npos);
}

}  // namespace
}  // namespace vultus
