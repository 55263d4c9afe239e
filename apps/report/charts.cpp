#include "apps/report/charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "report/text.hpp"

namespace vultus::report {

namespace {

// A drawing's own units; the page scales them, so that one is about a pixel.
constexpr double kWidth = 960, kRight = 12;

std::string open(const std::string& title, double height) {
  return fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"group\" aria-label=\"{}\">",
      kWidth, height, escaped(title));
}

std::string text(double x, double y, const char* css, std::string_view what) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>", x, y, css,
                     escaped(what));
}

std::string line(double x1, double y1, double x2, double y2, const char* css) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>",
                     x1, y1, x2, y2, css);
}

std::string rect(double x, double y, double width, double height, const char* css = "") {
  return fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"{}/>", x, y,
                     width, height, *css ? fmt::format(" class=\"{}\"", css) : "");
}

/// Something to point at and to reach by keyboard; its title is its tooltip.
std::string mark(const std::string& css, const std::string& label, const std::string& shapes) {
  return fmt::format("<g class=\"mark {}\" tabindex=\"0\" role=\"img\"><title>{}</title>{}</g>\n",
                     css, escaped(label), shapes);
}

/// A horizontal axis below `bottom` with lines up to `top`.
std::string axis_x(double left, double top, double bottom, const std::vector<double>& at,
                   std::string_view unit) {
  std::string out;
  for (size_t i = 0; i < at.size(); ++i) {
    const double x = left + (kWidth - kRight - left) * at[i] / at.back();
    out += line(x, top, x, bottom, "grid");
    // The last one carries the unit and ends where the axis does.
    const bool last = i + 1 == at.size();
    out += text(x, bottom + 15, last ? "tick end" : "tick mid",
                last ? fmt::format("{:g} {}", at[i], unit) : fmt::format("{:g}", at[i]));
  }
  return out;
}

}  // namespace

std::vector<double> ticks(double most, int wish) {
  if (!(most > 0) || !std::isfinite(most)) return {0, 1};
  const double raw = most / wish, power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (double round : {1.0, 2.0, 5.0})
    if (round * power >= raw * 0.999) {
      step = round * power;
      break;
    }
  if (!(step > 0)) return {0, 1};
  std::vector<double> at;
  for (int i = 0; at.empty() || at.back() < most * 0.999; ++i)
    at.push_back(i * step);
  return at;
}

std::string bar_chart(const std::string& title, const std::string& unit,
                      const std::vector<Bars>& panels) {
  constexpr double kLeft = 56, kPanel = 116, kGap = 34;
  std::string out;
  double y = 20;
  for (const Bars& panel : panels) {
    if (panel.bars.empty()) continue;
    const double most = std::ranges::max(panel.bars, {}, &Bars::Bar::value).value;
    const std::vector<double> at = ticks(most, 4);
    out += fmt::format("<g class=\"panel\">{}", text(kLeft, y - 7, "name", panel.label));
    for (double tick : at) {
      const double height = y + kPanel * (1 - tick / at.back());
      out += line(kLeft, height, kWidth - kRight, height, tick > 0 ? "grid" : "base");
      out +=
          text(kLeft - 6, height + 4, "tick end",
               tick == at.back() ? fmt::format("{:g} {}", tick, unit) : fmt::format("{:g}", tick));
    }
    const double pitch = (kWidth - kRight - kLeft) / static_cast<double>(panel.bars.size());
    const double width = std::clamp(pitch * 0.8, 0.5, 28.0);
    for (size_t i = 0; i < panel.bars.size(); ++i) {
      const Bars::Bar& bar = panel.bars[i];
      const double x = kLeft + pitch * static_cast<double>(i);
      const double height = kPanel * std::max(bar.value, 0.0) / at.back();
      out += mark("bar " + bar.css, bar.label,
                  rect(x, y, pitch, kPanel, "hit") +
                      rect(x + (pitch - width) / 2, y + kPanel - height, width, height));
    }
    out += "</g>";
    y += kPanel + kGap;
  }
  if (out.empty()) return {};
  return open(title, y - kGap + 24) + out + text(kLeft, y - kGap + 17, "tick", "first layer") +
         text(kWidth - kRight, y - kGap + 17, "tick end", "last layer") + "</svg>";
}

std::string timeline(const std::string& title, const std::vector<std::string>& lanes,
                     const std::vector<Span>& spans) {
  constexpr double kLeft = 132, kLane = 34, kTop = 6;
  if (lanes.empty() || spans.empty()) return {};
  double most = 0;
  for (const Span& span : spans)
    most = std::max(most, span.start + span.length);
  const std::vector<double> at = ticks(most, 8);
  const double bottom = kTop + kLane * static_cast<double>(lanes.size());
  const double scale = (kWidth - kRight - kLeft) / at.back();
  std::string out = open(title, bottom + 24) + axis_x(kLeft, kTop, bottom, at, "ms");
  for (size_t lane = 0; lane < lanes.size(); ++lane) {
    const double y = kTop + kLane * static_cast<double>(lane);
    out += text(0, y + kLane / 2 + 4, "name", clipped(lanes[lane], 20));
    out += line(kLeft, y + kLane, kWidth - kRight, y + kLane, "base");
    for (const Span& span : spans) {
      if (span.lane != lane) continue;
      const double x = kLeft + span.start * scale, width = std::max(span.length * scale, 0.6);
      const bool fits = width > 7.5 * static_cast<double>(span.text.size()) + 8;
      out += mark("span " + span.css, span.label,
                  rect(x, y + 5, width, kLane - 10, width < 3 ? "thin" : "") +
                      (fits && !span.text.empty()
                           ? rect(x + 3, y + 10, 7.5 * static_cast<double>(span.text.size()) + 4,
                                  kLane - 20, "plate") +
                                 text(x + 5, y + kLane / 2 + 4, "inside", span.text)
                           : ""));
    }
  }
  return out + "</svg>";
}

std::string range_chart(const std::string& title, const std::vector<Range>& rows) {
  constexpr double kLeft = 160, kRow = 34, kTop = 6;
  if (rows.empty()) return {};
  double most = 0;
  for (const Range& row : rows)
    most = std::max({most, row.high, row.mark});
  const std::vector<double> at = ticks(most, 8);
  const double bottom = kTop + kRow * static_cast<double>(rows.size());
  const double scale = (kWidth - kRight - kLeft) / at.back();
  std::string out = open(title, bottom + 24) + axis_x(kLeft, kTop, bottom, at, "ms");
  for (size_t i = 0; i < rows.size(); ++i) {
    const Range& row = rows[i];
    const double y = kTop + kRow * static_cast<double>(i), middle = y + kRow / 2;
    const double low = kLeft + row.low * scale, high = kLeft + row.high * scale;
    std::string shapes = rect(kLeft, y, kWidth - kRight - kLeft, kRow, "hit") +
                         rect(kLeft, y + 7, row.middle * scale, kRow - 14) +
                         line(low, middle, high, middle, "whisker") +
                         line(low, middle - 5, low, middle + 5, "whisker") +
                         line(high, middle - 5, high, middle + 5, "whisker");
    if (row.mark >= 0)
      shapes += line(kLeft + row.mark * scale, y + 2, kLeft + row.mark * scale, y + kRow - 2,
                     "predicted");
    out += text(0, middle + 4, "name", clipped(row.name, 24));
    out += mark("range " + row.css, row.label, shapes);
  }
  return out + "</svg>";
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out = "<ul class=\"key\">\n";
  for (const auto& [css, words] : entries)
    out += fmt::format(
        "<li><svg viewBox=\"0 0 28 16\" aria-hidden=\"true\" focusable=\"false\"><g "
        "class=\"swatch {}\"><rect width=\"28\" height=\"16\"/></g></svg>{}</li>\n",
        css, escaped(words));
  return out + "</ul>\n";
}

Peak peak_of(const std::vector<Block>& blocks) {
  std::map<int, double> changes;
  for (const Block& block : blocks) {
    changes[block.first] += block.bytes;
    changes[block.last + 1] -= block.bytes;
  }
  Peak peak;
  double now = 0;
  for (const auto& [step, change] : changes) {
    now += change;
    if (now > peak.bytes) peak = {step, now};
  }
  return peak;
}

std::string memory_chart(const std::string& title, const std::vector<Block>& blocks) {
  constexpr double kLeft = 70, kTop = 18, kHeight = 300;
  if (blocks.empty()) return {};
  double most = 0;
  int steps = 1;
  for (const Block& block : blocks) {
    most = std::max(most, block.offset + block.bytes);
    steps = std::max(steps, block.last + 1);
  }
  // The picture ends where the arena does, so ticks stop below.
  const double scale = kHeight / most, bottom = kTop + kHeight;
  const double pitch = (kWidth - kRight - kLeft) / steps;
  std::string out = open(title, bottom + 24);
  for (double tick : ticks(most, 5)) {
    if (tick > most * 1.001) continue;
    out += line(kLeft, bottom - tick * scale, kWidth - kRight, bottom - tick * scale,
                tick > 0 ? "grid" : "base");
    out += text(kLeft - 6, bottom - tick * scale + 4, "tick end", tick > 0 ? bytes(tick) : "0");
  }
  const Peak peak = peak_of(blocks);
  for (const Block& block : blocks) {
    const bool at_peak = block.first <= peak.step && peak.step <= block.last;
    out += mark(at_peak ? "block peak" : "block",
                fmt::format("{}: {} from {} on, steps {} to {}", clipped(block.name, 300),
                            bytes(block.bytes), bytes(block.offset), block.first, block.last),
                rect(kLeft + pitch * block.first, bottom - (block.offset + block.bytes) * scale,
                     pitch * (block.last - block.first + 1), block.bytes * scale));
  }
  const double x = kLeft + pitch * (peak.step + 0.5);
  out += line(x, kTop, x, bottom, "predicted");
  out += text(x, kTop - 6, peak.step > steps / 2 ? "tick end" : "tick",
              fmt::format("most in use at step {}: {}", peak.step, bytes(peak.bytes)));
  out += text(kLeft, bottom + 16, "tick", "step 0");
  out += text(kWidth - kRight, bottom + 16, "tick end", fmt::format("step {}", steps - 1));
  return out + "</svg>";
}

}  // namespace vultus::report
