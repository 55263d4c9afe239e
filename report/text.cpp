#include "report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace vultus::report {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Bytes of the UTF-8 sequence that `text` begins with; 0 when it begins with none.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // Overlong forms, surrogates, beyond U+10FFFF, and the two non-characters that XML forbids.
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
  if (lead == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE) return 0;
  return length;
}

/// Calls `take` with every character in turn, as `clean` gives it.
template <class Take>
void each_character(std::string_view bytes, Take take) {
  while (!bytes.empty()) {
    const size_t length = sequence_length(bytes);
    const auto first = static_cast<unsigned char>(bytes[0]);
    const bool c1 = length == 2 && first == 0xC2 && static_cast<unsigned char>(bytes[1]) < 0xA0;
    if (first == '\n' || first == '\r' || first == '\t')
      take(std::string_view(" "));
    else if (length == 0 || first < 0x20 || first == 0x7F || c1)
      take(kReplacement);
    else
      take(bytes.substr(0, length));
    bytes.remove_prefix(std::max<size_t>(length, 1));
  }
}

std::string grouped(std::string digits) {
  const size_t first = digits.starts_with('-') ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3; i -= 3)
    digits.insert(i - 3, 1, ',');
  return digits;
}

}  // namespace

std::string clean(std::string_view bytes) {
  std::string out;
  each_character(bytes, [&](std::string_view c) { out += c; });
  return out;
}

std::string clipped(std::string_view bytes, size_t most) {
  std::string out;
  size_t length = 0, last = 0;
  each_character(bytes, [&](std::string_view c) {
    if (++length > most) return;
    last = out.size();
    out += c;
  });
  return length > most ? out.substr(0, last) + "\xE2\x80\xA6" : out;
}

std::string escaped(std::string_view bytes) {
  std::string out;
  each_character(bytes, [&](std::string_view c) {
    switch (c[0]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  });
  return out;
}

std::string decimal(double value, int digits) {
  std::string text = fmt::format("{:.{}f}", value, digits);
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string number(double value) {
  if (!std::isfinite(value)) return "?";
  const double size = std::abs(value);
  if (size >= 99.95) return grouped(fmt::format("{:.0f}", value));
  return decimal(value, size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3);
}

std::string ms(double value) {
  return number(value) + " ms";
}

std::string bytes(double value) {
  constexpr std::array<std::string_view, 4> kUnits = {"B", "kB", "MB", "GB"};
  size_t unit = 0;
  for (; unit + 1 < kUnits.size() && std::abs(value) >= 999.5; ++unit)
    value *= 1e-3;
  return unit == 0 ? fmt::format("{:.0f} B", value)
                   : fmt::format("{} {}", number(value), kUnits[unit]);
}

std::string count(double value) {
  return std::isfinite(value) ? grouped(fmt::format("{:.0f}", value)) : "?";
}

std::string count(double value, std::string_view unit) {
  return fmt::format("{} {}{}", count(value), unit, value == 1 ? "" : "s");
}

}  // namespace vultus::report
