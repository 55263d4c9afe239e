#include <fmt/format.h>

#include <filesystem>

#include "apps/common.hpp"
#include "apps/inputs.hpp"
#include "host/core/npy.hpp"

namespace vultus::app {

namespace {

namespace fs = std::filesystem;

struct RunOptions {
  EngineOptions engine;
  std::string model, folder;
  std::vector<std::string> inputs;
  bool force = false;
};

/// Output names may hold any character; files get letters, digits, '.', '_' and '-'.
std::string file_name(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') c = '_';
  if (name.empty() || name[0] == '.') name.insert(0, "output");
  return name + ".npy";
}

Result<void> run(const RunOptions& options) {
  VULTUS_TRY(OpenedDevices devices, open_devices(options.engine, options.engine.device));
  VULTUS_TRY(Session session, load_session(options.model, options.engine, devices));
  VULTUS_TRY(auto inputs, read_inputs(session.graph(), options.inputs, false));
  for (const auto& [name, tensor] : inputs)
    VULTUS_CHECK(session.set_input(name, tensor.view()));
  fs::path folder = options.folder;
  std::error_code ec;
  for (const std::string& name : session.output_names())
    if (!options.force && fs::exists(folder / file_name(name), ec))
      return Error{Errc::unwritable, fmt::format("{}: exists; use --force to replace it",
                                                 (folder / file_name(name)).string())};
  VULTUS_CHECK(session.run());

  fs::create_directories(folder, ec);
  if (ec)
    return Error{Errc::unwritable,
                 fmt::format("{}: cannot be created: {}", folder.string(), ec.message())};
  Json outputs = Json::array();
  for (size_t i = 0; i < session.output_names().size(); ++i) {
    const std::string name = session.output_names()[i];
    std::string path = (folder / file_name(name)).string();
    const Tensor& tensor = session.output(i);
    VULTUS_CHECK(write_npy(path, tensor.view()));
    outputs.push_back({{"name", name},
                       {"file", path},
                       {"dtype", name_of(tensor.dtype())},
                       {"shape", tensor.shape().str()}});
    if (!options.engine.json)
      fmt::print("{}  {} {}  {}\n", name, name_of(tensor.dtype()), tensor.shape().str(), path);
  }
  if (options.engine.json)
    print_json(
        {{"schema", 1}, {"model", options.model}, {"device", devices.note}, {"outputs", outputs}});
  else
    fmt::print("ran on {}\n", devices.note);
  return {};
}

}  // namespace

void add_run(CLI::App& app, int& status) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "run any ONNX network once: arrays in, arrays out");
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_option("--input", options->inputs,
                      "NAME=FILE.npy; NAME may be left out for a network of one input");
  command->add_option("-o,--output", options->folder, "folder for OUTPUT.npy")->required();
  command->add_flag("--force", options->force, "replace existing files");
  options->engine.add_to(*command);
  command->footer("Example:\n  vultus run model.onnx --input input=x.npy -o results --device cpu");
  command->callback([options, &status] {
    auto done = run(*options);
    status = done ? kComplete : report(done.error());
  });
}

}  // namespace vultus::app
