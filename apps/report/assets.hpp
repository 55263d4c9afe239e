#pragma once

#include <string_view>

namespace vultus::report {

// style.css and page.js, embedded at build time (cmake/embed_report.cmake), and what a page's
// policy calls them: base64 of SHA-256.
extern const std::string_view kStyle, kScript, kStyleHash, kScriptHash;

}  // namespace vultus::report
