#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "host/core/write_file.hpp"
#include "host/run/accuracy.hpp"

namespace vultus {

Result<void> write_recipe(const std::string& path, const std::vector<std::string>& keep_fp32) {
  const nlohmann::ordered_json json = {{"schema", 1}, {"keep_fp32", keep_fp32}};
  return write_file(path,
                    {json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace), "\n"});
}

Result<std::vector<std::string>> read_recipe(const std::string& path) {
  auto fail = [&](std::string_view what) {
    return Error{Errc::bad_input, fmt::format("{}: {}; `vultus check MODEL.onnx -o {}` makes one",
                                              path, what, path)};
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return fail("is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(std::strerror(errno));
  const auto json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object() || json.value("schema", nlohmann::json()) != 1) return fail("is no recipe");
  const auto keep = json.find("keep_fp32");
  if (keep == json.end() || !keep->is_array()) return fail("is no recipe");
  std::vector<std::string> names;
  for (const auto& name : *keep) {
    if (!name.is_string()) return fail("lists something that is no name");
    names.push_back(name.get<std::string>());
  }
  return names;
}

}  // namespace vultus
