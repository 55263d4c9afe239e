#pragma once

#include <string>
#include <vector>

#include "apps/common.hpp"

namespace vultus::app {

/// Loads the network in a process of its own, twice: with caches that are empty, and again with
/// what the first left there. `arguments` are those of `vultus bench` for one case. Gives "cold"
/// and "warm", each with the milliseconds of import, passes, planning, compiling, load, first run,
/// load to first result, and of the process.
Result<Json> measure_startup(const std::vector<std::string>& arguments);
void print_startup(const std::string& device, const Json& startup);

}  // namespace vultus::app
