#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace vultus::report {

using Json = nlohmann::ordered_json;

// Documents may lack keys, or have null where nothing is known.
double number_at(const Json& object, const char* key, double fallback = 0);
std::string text_at(const Json& object, const char* key);
/// An empty array when there is no array of that name.
const Json& array_at(const Json& object, const char* key);
bool has_number(const Json& object, const char* key);
/// The name of a file without its folder.
std::string file_name(const std::string& path);
/// "GPU", "CPU", and other words as they are.
std::string device_name(const std::string& device);
/// The class of charts and tables for a device, or a case that is called by one.
std::string device_css(const std::string& device);

/// A layer and how long it takes on each device, in milliseconds; negative: not known.
struct Layer {
  std::string name, op, output, reason;
  std::string chosen;  ///< empty: no choice was made
  double macs = -1;
  std::vector<double> ms;  ///< by device
};
/// A panel of bars for each device that has a time, and a table of everything that is known.
/// `source` ends the captions: "as predicted".
std::string layers_section(const std::vector<std::string>& devices,
                           const std::vector<Layer>& layers, const std::string& source);

/// The last section of every page.
std::string advice_section(const Json& advice);

}  // namespace vultus::report
