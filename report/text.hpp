#pragma once

#include <string>
#include <string_view>

namespace vultus::report {

/// Valid UTF-8 without control characters: what is neither becomes U+FFFD, line breaks and tabs a
/// space. Names in networks are bytes that anybody chose.
std::string clean(std::string_view bytes);
/// Clean, and at most `most` characters; what is cut off ends in an ellipsis.
std::string clipped(std::string_view bytes, size_t most);
/// Clean, for the inside of HTML and SVG elements and of attributes in double quotes.
std::string escaped(std::string_view bytes);

/// With so many digits behind the point, and no sign before a zero: "-0.25", "0.00".
std::string decimal(double value, int digits);
/// Three significant digits, no exponent: "0.0123", "1.23", "1,234".
std::string number(double value);
std::string ms(double value);     ///< "1.23 ms"
std::string bytes(double value);  ///< "1.23 MB"
std::string count(double value);  ///< "1,234,567"
/// The same with the unit behind: "1 node", "1,234 nodes".
std::string count(double value, std::string_view unit);

}  // namespace vultus::report
