#include "apps/report/picture.hpp"

#include <gtest/gtest.h>

#include "apps/report/charts.hpp"
#include "report/text.hpp"

namespace vultus::report {
namespace {

TEST(ReportText, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(clean("a\xff\xc0\x80z"), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(clean("\xed\xa0\x80").find('\xed'), std::string::npos);  // a surrogate
  EXPECT_EQ(clean("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(clean(std::string_view("a\0b\nc", 5)),
            "a\xEF\xBF\xBD"
            "b c");
}

TEST(ReportText, MarkupIsEscapedAndLongTextClippedBetweenCharacters) {
  EXPECT_EQ(escaped("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
  EXPECT_EQ(clipped("\xc3\xa9\xc3\xa9\xc3\xa9", 2), "\xc3\xa9\xE2\x80\xA6");
  EXPECT_EQ(clipped("abc", 3), "abc");
}

TEST(ReportText, NumbersHaveThreeDigits) {
  EXPECT_EQ(number(0.01234), "0.012");
  EXPECT_EQ(number(1.234), "1.23");
  EXPECT_EQ(number(-0.0004), "0.000");
  EXPECT_EQ(decimal(-0.4, 0), "0");
  EXPECT_EQ(decimal(-0.6, 0), "-1");
  EXPECT_EQ(decimal(-0.25, 2), "-0.25");
  EXPECT_EQ(number(1234567.0), "1,234,567");
  EXPECT_EQ(bytes(12.3e6), "12.3 MB");
  EXPECT_EQ(count(1, "layer"), "1 layer");
}

TEST(ReportCharts, TicksAreRoundAndReachTheMost) {
  EXPECT_EQ(ticks(0, 4), (std::vector<double>{0, 1}));
  EXPECT_EQ(ticks(7, 4), (std::vector<double>{0, 2, 4, 6, 8}));
  EXPECT_EQ(ticks(1e-320, 4).front(), 0);
}

TEST(ReportCharts, ThePeakIsTheFirstStepWithMostInUse) {
  const Peak peak = peak_of({{"a", 0, 10, 0, 2}, {"b", 10, 5, 2, 4}, {"c", 15, 5, 4, 4}});
  EXPECT_EQ(peak.step, 2);
  EXPECT_EQ(peak.bytes, 15);
}

TEST(ReportPicture, AGraphIsDrawnWithItsTitlesInPlaceOfNames) {
  auto drawn = draw("digraph { a [label=\"first\"]; a -> b }");
  ASSERT_TRUE(drawn) << drawn.error().what;
  const std::string svg = inline_svg(*drawn, "picture <1>", {{"a", "tip <a>"}});
  EXPECT_TRUE(svg.starts_with("<svg"));
  EXPECT_TRUE(svg.ends_with("</svg>"));
  EXPECT_NE(svg.find("picture &lt;1&gt;"), std::string::npos);
  EXPECT_NE(svg.find("<title>tip &lt;a&gt;</title>"), std::string::npos);
  EXPECT_EQ(svg.find("<title>b</title>"), std::string::npos);
}

TEST(ReportCharts, ARangeIsABarToTheMiddleWithALineFromEndToEnd) {
  const std::string svg = range_chart("times", {{"<a>", "cpu", "tip", 10, 20, 40, 30}});
  // From 160 to 948 for 0 to 40 ms.
  EXPECT_NE(svg.find("width=\"394.00\""), std::string::npos) << svg;
  EXPECT_NE(svg.find("x1=\"357.0\" y1=\"23.0\" x2=\"948.0\" y2=\"23.0\" class=\"whisker\""),
            std::string::npos);
  EXPECT_NE(svg.find("x1=\"751.0\""), std::string::npos) << "the prediction";
  EXPECT_NE(svg.find("&lt;a&gt;"), std::string::npos);
  EXPECT_EQ(range_chart("times", {}), "");
}

TEST(ReportPicture, OnlyPicturesTooLargeForPaperHaveASentenceInTheirPlace) {
  std::string chain = "digraph { n0";
  for (int i = 1; i < 200; ++i)
    chain += " -> n" + std::to_string(i);
  auto large = draw(chain + " }"), small = draw("digraph { a -> b }");
  ASSERT_TRUE(large && small);
  EXPECT_NE(inline_svg(*large, "t", {}).find("class=\"paper\""), std::string::npos);
  EXPECT_EQ(inline_svg(*small, "t", {}).find("class=\"paper\""), std::string::npos);
}

TEST(ReportPicture, BrokenDotIsAnErrorThatSaysSo) {
  for (const char* text : {"digraph {", "", "digraph { a [label=\"open }", "<svg>"}) {
    auto drawn = draw(text);
    ASSERT_FALSE(drawn) << text;
    EXPECT_EQ(drawn.error().code, Errc::bad_input);
    EXPECT_NE(drawn.error().what.find("picture"), std::string::npos);
  }
  EXPECT_TRUE(draw("digraph { a }")) << "after an error";
}

}  // namespace
}  // namespace vultus::report
