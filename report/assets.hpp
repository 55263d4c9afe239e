#pragma once

#include <string_view>

namespace vultus::report {

/// A style sheet or a script, embedded at build time (cmake/embed_assets.cmake), and what a page's
/// policy calls it: base64 of SHA-256.
struct Asset {
  std::string_view text, hash;
};

extern const Asset kStyle, kScript;  ///< of every page

}  // namespace vultus::report
