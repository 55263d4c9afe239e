#include "host/onnx/test_data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "host/onnx/tensor_file.hpp"

namespace vultus {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSetPrefix = "test_data_set_";

Error refuse(const std::string& folder, std::string_view what) {
  return {Errc::bad_input, fmt::format("{}: {}", folder, what)};
}

Result<std::vector<std::string>> names_in(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return refuse(folder, "is not a folder; check the path and its permissions");
  std::vector<std::string> names;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    names.push_back(at->path().filename().string());
  if (error) return refuse(folder, fmt::format("cannot be read: {}", error.message()));
  return names;
}

std::string file_name(std::string_view kind, size_t number) {
  return fmt::format("{}_{}.pb", kind, number);
}

/// K of every "KIND_K.pb", in order.
std::set<size_t> numbers_of(const std::vector<std::string>& names, std::string_view kind) {
  std::set<size_t> numbers;
  for (const std::string& name : names) {
    size_t number = 0;
    const size_t digits = kind.size() + 1;
    if (name.size() > digits)
      std::from_chars(name.data() + digits, name.data() + name.size(), number);
    // Also tells "input_00.pb" and "input_0.pb.bak" apart from what is meant.
    if (name == file_name(kind, number)) numbers.insert(number);
  }
  return numbers;
}

bool is_data_set(const std::vector<std::string>& names) {
  return !numbers_of(names, "input").empty() || !numbers_of(names, "output").empty();
}

/// Numbers by their size, before other names.
bool comes_before(const std::string& a, const std::string& b) {
  auto key = [](std::string_view name) {
    name.remove_prefix(kSetPrefix.size());
    const bool number = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
      return c >= '0' && c <= '9';
    });
    if (number) name.remove_prefix(std::min(name.find_first_not_of('0'), name.size() - 1));
    return std::tuple(!number, number ? name.size() : 0, name);
  };
  return std::pair(key(a), a) < std::pair(key(b), b);
}

std::vector<std::string> names_of(const Graph& graph, const std::vector<ValueId>& values) {
  std::vector<std::string> names;
  for (ValueId v : values)
    names.push_back(graph.value(v).name);
  return names;
}

/// "2 inputs (a, b)".
std::string list(std::string_view kind, const std::vector<std::string>& names) {
  return fmt::format("{} {}{} ({})", names.size(), kind, names.size() == 1 ? "" : "s",
                     fmt::join(names, ", "));
}

/// What a file of inputs or outputs belongs to, by the number of the file.
struct Member {
  std::string file;
  Tensor tensor;
};
using Members = std::map<std::string, Member>;

Result<Members> read_members(const std::string& folder, std::string_view kind,
                             const std::set<size_t>& numbers,
                             const std::vector<std::string>& names) {
  if (!numbers.empty() && *numbers.rbegin() >= names.size())
    return refuse(folder,
                  fmt::format("holds {}, but the network has {}; take it away, or use the network "
                              "that this folder belongs to",
                              file_name(kind, *numbers.rbegin()), list(kind, names)));
  Members members;
  for (size_t number : numbers) {
    const std::string file = file_name(kind, number);
    VULTUS_TRY(NamedTensor read, read_tensor_file((fs::path(folder) / file).string()));
    const bool known = std::ranges::find(names, read.name) != names.end();
    const std::string& name = known ? read.name : names[number];
    auto [other, added] = members.try_emplace(name, Member{file, std::move(read.tensor)});
    if (!added)
      return refuse(folder, fmt::format("{} and {} are both for {} '{}'; correct the name in one "
                                        "of them",
                                        other->second.file, file, kind, name));
  }
  return members;
}

Result<void> check_input(const std::string& folder, const Member& member, const Value& value) {
  const Tensor& tensor = member.tensor;
  if (tensor.dtype() == value.dtype && tensor.shape() == value.shape) return {};
  const bool may_bind = tensor.dtype() == value.dtype;
  return refuse(
      (fs::path(folder) / member.file).string(),
      fmt::format("holds {} {}, but input '{}' takes {} {}{}", name_of(tensor.dtype()),
                  tensor.shape().str(), value.name, name_of(value.dtype), value.shape.str(),
                  may_bind ? fmt::format("; where the network leaves that open, use "
                                         "--shape {}={}",
                                         value.name, tensor.shape().str())
                           : "; give it that type"));
}

}  // namespace

Result<std::vector<std::string>> find_test_data(const std::string& folder) {
  VULTUS_TRY(auto names, names_in(folder));
  if (is_data_set(names)) return std::vector{folder};
  std::error_code error;
  std::erase_if(names, [&](const std::string& name) {
    return !name.starts_with(kSetPrefix) || !fs::is_directory(fs::path(folder) / name, error);
  });
  std::ranges::sort(names, comes_before);
  if (names.empty())
    return refuse(folder,
                  "holds neither input_0.pb nor a folder test_data_set_0; give a folder of test "
                  "data in the ONNX layout");
  for (std::string& name : names)
    name = (fs::path(folder) / name).string();
  return names;
}

Result<TestData> read_test_data(const std::string& folder, const Graph& graph) {
  VULTUS_TRY(const auto files, names_in(folder));
  const auto inputs = names_of(graph, graph.inputs), outputs = names_of(graph, graph.outputs);
  const std::set<size_t> given = numbers_of(files, "input");
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!given.contains(i))
      return refuse(folder, fmt::format("{} is missing; the network has {}", file_name("input", i),
                                        list("input", inputs)));
  VULTUS_TRY(Members in, read_members(folder, "input", given, inputs));
  VULTUS_TRY(Members out, read_members(folder, "output", numbers_of(files, "output"), outputs));
  TestData data{folder, {}, {}};
  for (ValueId v : graph.inputs) {
    Member& member = in.at(graph.value(v).name);
    VULTUS_CHECK(check_input(folder, member, graph.value(v)));
    data.inputs.emplace(graph.value(v).name, std::move(member.tensor));
  }
  for (auto& [name, member] : out)
    data.outputs.emplace(name, std::move(member.tensor));
  return data;
}

}  // namespace vultus
