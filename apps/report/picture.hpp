#pragma once

#include <map>
#include <string>

#include "host/core/result.hpp"

namespace vultus::report {

/// Lays a graph in the DOT language out, top to bottom, and draws it as an SVG document, without
/// fonts or other files: widths of text are estimated. Errc::bad_input says what is wrong with
/// the DOT text. One thread at a time.
Result<std::string> draw(const std::string& dot);

/// The <svg> element of such a document, to stand in a page: sized by the page, titled, and with
/// `titles` (by the DOT name of a node) instead of the names that Graphviz writes. In print a
/// sentence stands for what would not fit one sheet.
std::string inline_svg(const std::string& document, const std::string& title,
                       const std::map<std::string, std::string>& titles);

}  // namespace vultus::report
