#pragma once

#include "apps/bench_report.hpp"

namespace vultus::app {

/// Writes the page of --html: `document` is what `bench_json` made of the cases. The picture is of
/// the first case that weighed devices, else of the one in the most partitions.
Result<void> write_bench_page(const BenchOptions& options, const std::vector<BenchCase>& cases,
                              const Json& document);

}  // namespace vultus::app
