#include <fmt/format.h>

#include "apps/common.hpp"

namespace vultus::app {

namespace {

int devices(bool json) {
  Json gpus = describe_gpus();
  Json cpu;
  if (auto device = open_cpu()) {
    cpu["name"] = (*device)->info().name;
    cpu["driver"] = (*device)->info().driver;
  } else {
    return report(device.error());
  }
  if (json) {
    print_json({{"schema", 1}, {"cpu", cpu}, {"gpu", gpus}});
    return kComplete;
  }
  fmt::print("CPU  {}\n     {}\n", cpu["name"].get<std::string>(),
             cpu["driver"].get<std::string>());
  if (gpus.contains("error")) fmt::print("GPU  none: {}\n", gpus["error"].get<std::string>());
  for (const Json& gpu : gpus.value("devices", Json::array())) {
    fmt::print("GPU {} {}\n", gpu["index"].get<int>(), gpu["name"].get<std::string>());
    for (const auto& [key, value] : gpu.items())
      if (key != "index" && key != "name")
        fmt::print("     {:<22} {}\n", key,
                   value.is_string() ? value.get<std::string>() : value.dump());
  }
  return kComplete;
}

}  // namespace

void add_devices(CLI::App& app, int& status) {
  auto* command = app.add_subcommand(
      "devices", "list every device, what it can do, and why it is or is not used");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "one JSON document on stdout");
  command->callback([json, &status] { status = devices(*json); });
}

}  // namespace vultus::app
