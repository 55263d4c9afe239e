#include "models/convert/convert.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "models/convert/architecture.hpp"

namespace vultus::convert {

namespace {

constexpr std::array kArchitectures{&kRetinaFace, &kStar, &kMultitask};

struct Recognised {
  const Architecture* architecture;
  StateDict* state;
};

std::vector<Recognised> recognise(std::vector<StateDict>& states) {
  std::vector<Recognised> found;
  for (StateDict& state : states)
    for (const Architecture* architecture : kArchitectures)
      if (state.tensors.contains(std::string(architecture->marker)))
        found.push_back({architecture, &state});
  return found;
}

Error unknown(const std::vector<StateDict>& states) {
  std::vector<std::string_view> known;
  for (const Architecture* architecture : kArchitectures)
    known.push_back(architecture->title);
  std::vector<std::string> keys;
  size_t count = 0;
  for (const StateDict& state : states) {
    count += state.tensors.size();
    for (const auto& [name, tensor] : state.tensors)
      if (keys.size() < 4) keys.push_back(torch::printable(name));
  }
  return {Errc::bad_model,
          fmt::format("is none of the networks that are known: {}; it has {} tensors ({}{}). Other "
                      "networks: export them to ONNX",
                      fmt::join(known, ", "), count, fmt::join(keys, ", "),
                      count > keys.size() ? ", ..." : "")};
}

/// The one network of the checkpoint. Of copies in several places, such as averaged weights, the
/// one that a loader would take.
Result<Recognised> choose(std::vector<StateDict>& states) {
  std::vector<Recognised> found = recognise(states);
  if (found.empty()) return unknown(states);
  if (found.size() == 1) return found.front();
  for (const char* where : {"", "net", "state_dict", "model"})
    for (const Recognised& each : found)
      if (each.state->where == where) return each;
  std::vector<std::string> places;
  for (const Recognised& each : found)
    places.push_back(torch::printable(each.state->where));
  return Error{Errc::bad_model,
               fmt::format("holds {} networks, in {}; save the one to convert alone", found.size(),
                           fmt::join(places, ", "))};
}

Result<Converted> convert(torch::Checkpoint checkpoint, const std::vector<std::string>& ignored) {
  std::vector<StateDict> states = state_dicts(std::move(checkpoint));
  VULTUS_TRY(Recognised chosen, choose(states));
  const Architecture& architecture = *chosen.architecture;
  Converted converted;
  converted.kind = architecture.kind;
  converted.title = architecture.title;
  OnnxWriter network(converted.kind);
  Parameters parameters(std::move(*chosen.state));
  Layers layers(network, parameters);
  architecture.write(layers, converted.notes);
  if (auto fine = parameters.finish(ignored, converted.notes); !fine)
    return Error{fine.error().code,
                 fmt::format("looks like {}, but {}", architecture.title, fine.error().what)};
  converted.tensors = parameters.used();
  converted.parameters = parameters.parameters();
  VULTUS_TRY(converted.onnx, network.serialise());
  return converted;
}

}  // namespace

Result<Converted> convert_checkpoint(const std::string& path,
                                     const std::vector<std::string>& ignored) {
  VULTUS_TRY(torch::Checkpoint checkpoint, torch::Checkpoint::read(path));
  auto converted = convert(std::move(checkpoint), ignored);
  if (!converted)
    return Error{converted.error().code, fmt::format("{}: {}", path, converted.error().what)};
  return converted;
}

}  // namespace vultus::convert
