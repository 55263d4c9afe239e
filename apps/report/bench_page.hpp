#pragma once

#include <string>

#include "apps/report/layers.hpp"
#include "report/page.hpp"

namespace vultus::report {

/// Where layers lie in one of the document's runs: an <svg> element (may be empty) and what it
/// shows.
struct BenchPicture {
  size_t run = 0;
  std::string svg, note;
};

/// The page of a document that `bench --json` prints.
std::string bench_page(const Json& bench, const BenchPicture& picture, const Provenance& made);

}  // namespace vultus::report
