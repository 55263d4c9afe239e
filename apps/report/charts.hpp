#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vultus::report {

/// Round numbers from 0 to at least `most`, at most about `wish` steps. {0, 1} for nothing.
std::vector<double> ticks(double most, int wish);

/// One bar a layer, in order. Every text is escaped by the chart.
struct Bars {
  struct Bar {
    double value = 0;
    std::string css;    ///< class of the device; "other" besides: not what was chosen
    std::string label;  ///< of the tooltip
  };
  std::string label;  ///< of the panel
  std::vector<Bar> bars;
};
/// Panels one below the other, each with a scale of its own. Empty without a bar.
std::string bar_chart(const std::string& title, const std::string& unit,
                      const std::vector<Bars>& panels);

/// What ran when.
struct Span {
  size_t lane = 0;
  double start = 0, length = 0;  ///< milliseconds
  std::string css, label, text;  ///< text: inside, where there is room
};
std::string timeline(const std::string& title, const std::vector<std::string>& lanes,
                     const std::vector<Span>& spans);

/// A range with a middle, a row each: fastest, median, 95th percentile, in milliseconds.
struct Range {
  std::string name, css, label;
  double low = 0, middle = 0, high = 0;
  double mark = -1;  ///< of a prediction; negative: none
};
std::string range_chart(const std::string& title, const std::vector<Range>& rows);

/// Swatches and what they stand for: class and words.
std::string legend(const std::vector<std::pair<std::string, std::string>>& entries);

/// Blocks of memory: step from left to right, offset from bottom to top.
struct Block {
  std::string name;
  double offset = 0, bytes = 0;
  int first = 0, last = 0;
};
std::string memory_chart(const std::string& title, const std::vector<Block>& blocks);
/// The step at which most bytes are in use, the first of them, and how many.
struct Peak {
  int step = 0;
  double bytes = 0;
};
Peak peak_of(const std::vector<Block>& blocks);

}  // namespace vultus::report
