#pragma once

#include <string>

#include "apps/report/layers.hpp"
#include "report/page.hpp"

namespace vultus::report {

/// The page of a document that `plan --json` prints. `picture`: an <svg> element of where nodes lie
/// (may be empty); `picture_note`: what it shows.
std::string plan_page(const Json& plan, const std::string& picture, const std::string& picture_note,
                      const Provenance& made);

}  // namespace vultus::report
