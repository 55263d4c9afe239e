#include <fmt/format.h>

#include <algorithm>
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
  std::optional<double> tolerance;
  bool force = false;
};

/// Output names may hold any character; files get letters, digits, '.', '_' and '-'.
std::string file_name(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') c = '_';
  if (name.empty() || name[0] == '.') name.insert(0, "output");
  return name + ".npy";
}

/// Where the outputs of a set belong.
fs::path folder_of(const RunOptions& options, const InputSets& read, const TestData& set) {
  const fs::path folder = options.folder;
  return read.several ? folder / fs::path(set.folder).filename() : folder;
}

Result<void> refuse_existing(const Session& session, const fs::path& folder) {
  std::error_code ec;
  for (const std::string& name : session.output_names())
    if (fs::exists(folder / file_name(name), ec))
      return Error{Errc::unwritable, fmt::format("{}: exists; use --force to replace it",
                                                 (folder / file_name(name)).string())};
  return {};
}

/// The outputs of the last run, as a list for scripts.
Result<Json> write_outputs(const Session& session, const fs::path& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec)
    return Error{Errc::unwritable,
                 fmt::format("{}: cannot be created: {}", folder.string(), ec.message())};
  Json outputs = Json::array();
  for (size_t i = 0; i < session.output_names().size(); ++i) {
    const std::string name = session.output_names()[i];
    const std::string path = (folder / file_name(name)).string();
    const Tensor& tensor = session.output(i);
    VULTUS_CHECK(write_npy(path, tensor.view()));
    outputs.push_back({{"name", name},
                       {"file", path},
                       {"dtype", name_of(tensor.dtype())},
                       {"shape", tensor.shape().str()}});
  }
  return outputs;
}

void print_outputs(const Json& outputs, const std::vector<OutputError>& errors) {
  for (const Json& output : outputs) {
    const std::string name = output["name"];
    fmt::print("{}  {} {}  {}\n", name, output["dtype"].get<std::string>(),
               output["shape"].get<std::string>(), output["file"].get<std::string>());
    for (const OutputError& error : errors)
      if (error.name == name) fmt::print("  against the test data: {}\n", error_text(error));
  }
}

/// One run, written and told about; true where the outputs are those of the test data.
Result<bool> run_set(const RunOptions& options, Session& session, const TestData& set,
                     const fs::path& folder, Json& list) {
  VULTUS_CHECK(set_inputs(session, set));
  VULTUS_CHECK(session.run());
  VULTUS_TRY(Json outputs, write_outputs(session, folder));
  const auto errors = compare_outputs(session, set.outputs);
  const double tolerance = options.tolerance.value_or(tolerance_of(session, options.engine));
  if (!options.engine.json) print_outputs(outputs, errors);
  for (Json& output : outputs) {
    if (!set.folder.empty()) output["data_set"] = set.folder;
    for (const OutputError& error : errors)
      if (error.name == output["name"]) output["error"] = error_json(error, tolerance);
    list.push_back(output);
  }
  const bool good = std::ranges::all_of(
      errors, [&](const OutputError& error) { return error.within(tolerance); });
  if (!good && !options.engine.json)
    fmt::print("  over the tolerance of {} (relative L2; integers: any difference)\n", tolerance);
  return good;
}

Result<ExitCode> run(const RunOptions& options) {
  VULTUS_TRY(OpenedDevices devices, open_devices(options.engine, options.engine.device));
  VULTUS_TRY(Session session, load_session(options.model, options.engine, devices));
  VULTUS_TRY(const InputSets read, read_inputs(session.graph(), options.inputs, false));
  if (!options.force)
    for (const TestData& set : read.sets)
      VULTUS_CHECK(refuse_existing(session, folder_of(options, read, set)));
  Json outputs = Json::array();
  bool good = true;
  for (const TestData& set : read.sets) {
    VULTUS_TRY(const bool same,
               run_set(options, session, set, folder_of(options, read, set), outputs));
    good = good && same;
  }
  if (options.engine.json)
    print_json(
        {{"schema", 1}, {"model", options.model}, {"device", devices.note}, {"outputs", outputs}});
  else
    fmt::print("ran on {}\n", devices.note);
  return good ? kComplete : kMismatch;
}

}  // namespace

void add_run(CLI::App& app, int& status) {
  auto options = std::make_shared<RunOptions>();
  auto* command = app.add_subcommand("run", "run any ONNX network once: arrays in, arrays out");
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_option("--input", options->inputs, kInputHelp);
  command
      ->add_option("-o,--output", options->folder,
                   "folder for OUTPUT.npy; test_data_set_N/OUTPUT.npy in it for several sets")
      ->required();
  command
      ->add_option("--tolerance", options->tolerance,
                   "relative L2 error that an output may have against the test data's output_K.pb "
                   "(0.05 where layers are stored in fp16, else 0.001; integers: none)")
      ->check(CLI::Range(0.0, 1e9));
  command->add_flag("--force", options->force, "replace existing files");
  options->engine.add_to(*command);
  command->footer(
      "Exit code 9 when an output is not that of the test data.\n"
      "Examples:\n  vultus run model.onnx --input input=x.npy -o results --device cpu\n"
      "  vultus run model.onnx --input test_data_set_0 -o results --precision fp32");
  command->callback([options, &status] {
    auto done = run(*options);
    status = done ? *done : report(done.error());
  });
}

}  // namespace vultus::app
