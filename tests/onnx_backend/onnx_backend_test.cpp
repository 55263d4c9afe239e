// The ONNX project's node tests (tests/onnx_backend/prepare.py makes the folder): a gtest each and
// device. What skip.txt excuses must be refused with an error, and fails when it works or when its
// numbers are wrong.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "host/onnx/tensor_file.hpp"
#include "host/run/session.hpp"
#include "tests/support/gpu.hpp"

namespace vultus::test {

namespace {

namespace fs = std::filesystem;

enum class Mode {
  cpu,  ///< CPU alone
  gpu,  ///< the GPU before the CPU
};

struct Case {
  fs::path folder;
  std::string name;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, int> constants;  ///< by device: inputs that became constants
  double rtol = 0, atol = 0;
};

/// What a summary line counts.
struct Count {
  int run = 0, passed = 0, refused = 0;
  int as_they_are = 0;                              ///< of those passed: no input became a constant
  int all_on_gpu = 0, some_on_cpu = 0, folded = 0;  ///< of those passed on the GPU
  std::map<std::string, int> why_on_cpu;            ///< sentences of the plan
};
std::map<Mode, Count> counts;

using Skips =
    std::map<std::pair<std::string, std::string>, std::string>;  ///< (name, device): reason

std::string device_of(Mode mode) {
  return mode == Mode::gpu ? "gpu" : "cpu";
}

Case read_case(const fs::path& folder) {
  std::ifstream file(folder / "case.json");
  const auto json = nlohmann::json::parse(file);
  return {folder,
          folder.filename().string(),
          json.at("inputs"),
          json.at("outputs"),
          json.at("constants"),
          json.at("rtol"),
          json.at("atol")};
}

template <class T>
std::string first_difference(const Tensor& got, const Tensor& want, const Case& what) {
  auto a = got.as<T>(), b = want.as<T>();
  for (size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    bool equal = a[i] == b[i];
    if constexpr (std::is_floating_point_v<T>)
      equal = equal || (std::isnan(x) && std::isnan(y)) ||
              std::abs(x - y) <= what.atol + what.rtol * std::abs(y);
    if (!equal) return fmt::format("has {1} at {0}, not {2}", i, x, y);
  }
  return {};
}

std::string difference(const Tensor& got, const Tensor& want, const Case& what) {
  if (got.dtype() != want.dtype() || !(got.shape() == want.shape()))
    return fmt::format("is {} {}, not {} {}", name_of(got.dtype()), got.shape().str(),
                       name_of(want.dtype()), want.shape().str());
  switch (want.dtype()) {
    case DType::f32:
      return first_difference<float>(got, want, what);
    case DType::i32:
      return first_difference<int32_t>(got, want, what);
    case DType::i64:
      return first_difference<int64_t>(got, want, what);
    case DType::boolean:
      return first_difference<bool>(got, want, what);
    default:
      return fmt::format("has type {}", name_of(want.dtype()));
  }
}

Result<Session> run_case(const Case& what, Mode mode, const std::vector<Device*>& devices) {
  VULTUS_TRY(Session session, Session::load((what.folder / (device_of(mode) + ".onnx")).string(),
                                            {.devices = devices, .precision = Precision::fp32}));
  const std::vector<std::string> names = session.input_names();
  for (size_t i = 0; i < what.inputs.size(); ++i) {
    if (std::ranges::find(names, what.inputs[i]) == names.end()) continue;
    VULTUS_TRY(NamedTensor input,
               read_tensor_file((what.folder / fmt::format("input_{}.pb", i)).string()));
    VULTUS_CHECK(session.set_input(what.inputs[i], input.tensor.view()));
  }
  VULTUS_CHECK(session.run());
  return session;
}

void count_placement(const Session& session, Count& count) {
  const Plan& plan = session.plan();
  const size_t nodes = session.graph().nodes.size();
  size_t on_gpu = 0;
  for (size_t n = 0; n < nodes; ++n) {
    const bool gpu = plan.placement[n]->info().kind == DeviceKind::gpu;
    on_gpu += gpu;
    if (!gpu) ++count.why_on_cpu[session.graph().nodes[n].op + ": " + plan.reasons[n]];
  }
  ++(nodes == 0 ? count.folded : on_gpu == nodes ? count.all_on_gpu : count.some_on_cpu);
}

/// The first output that is wrong and how, or nothing.
Result<std::string> wrong_output(const Session& session, const Case& what) {
  for (size_t i = 0; i < what.outputs.size(); ++i) {
    VULTUS_TRY(NamedTensor want,
               read_tensor_file((what.folder / fmt::format("output_{}.pb", i)).string()));
    VULTUS_TRY(const Tensor* got, session.output(what.outputs[i]));
    const std::string how = difference(*got, want.tensor, what);
    if (!how.empty()) return fmt::format("output '{}' {}", what.outputs[i], how);
  }
  return std::string();
}

class NodeTest : public ::testing::Test {
 public:
  NodeTest(Case what, Mode mode, std::string excuse)
      : case_(std::move(what)), mode_(mode), excuse_(std::move(excuse)) {}

  void TestBody() override {
    static auto cpu = open_cpu(1);
    ASSERT_TRUE(cpu) << cpu.error().what;
    std::vector<Device*> devices{cpu->get()};
    if (mode_ == Mode::gpu) {
      VULTUS_NEED_GPU(gpu);
      devices.insert(devices.begin(), &gpu);
    }
    Count& count = counts[mode_];
    ++count.run;
    auto session = run_case(case_, mode_, devices);
    if (!session) return refused(session.error());
    auto wrong = wrong_output(*session, case_);
    ASSERT_TRUE(wrong) << wrong.error().what;
    if (!wrong->empty()) return differed(*wrong);
    ++count.passed;
    count.as_they_are += case_.constants.at(device_of(mode_)) == 0;
    if (mode_ == Mode::gpu) count_placement(*session, count);
    EXPECT_EQ(excuse_, "") << "skip.txt excuses this, but it works: take the line away";
  }

 private:
  void differed(const std::string& how) {
    EXPECT_TRUE(excuse_.starts_with("differs:")) << how;
    if (!HasFailure()) GTEST_SKIP() << excuse_;
  }
  void refused(const Error& error) {
    ++counts[mode_].refused;
    EXPECT_NE(excuse_, "") << error.what;
    EXPECT_EQ(error.code, Errc::bad_model) << error.what;
    if (!HasFailure()) GTEST_SKIP() << excuse_;
  }

  Case case_;
  Mode mode_;
  std::string excuse_;
};

/// "name device reason" a line; device is cpu, gpu or both.
Result<Skips> read_skips(const std::string& path, const std::set<std::string>& known) {
  Skips skips;
  std::ifstream file(path);
  if (!file) return Error{Errc::bad_input, fmt::format("{}: cannot be read", path)};
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string name, device, reason;
    words >> name >> device >> std::ws;
    std::getline(words, reason);
    if (!known.contains(name) || !std::set<std::string>{"cpu", "gpu", "both"}.contains(device) ||
        reason.empty())
      return Error{Errc::bad_input,
                   fmt::format("{}: '{}' names no test, device and reason", path, line)};
    for (const char* one : {"cpu", "gpu"})
      if (device == "both" || device == one) skips[{name, one}] = reason;
  }
  return skips;
}

void register_case(const Case& what, Mode mode, const char* suite, const Skips& skips) {
  auto found = skips.find({what.name, device_of(mode)});
  std::string excuse = found == skips.end() ? "" : found->second;
  ::testing::RegisterTest(
      suite, what.name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
      [what, mode, excuse]() -> NodeTest* { return new NodeTest(what, mode, excuse); });
}

void print_summary() {
  for (const auto& [mode, count] : counts) {
    fmt::print("{}: {} of {} pass, {} of them without a constant made of an input; {} refused\n",
               mode == Mode::cpu ? "CPU" : "GPU before CPU", count.passed, count.run,
               count.as_they_are, count.refused);
    if (mode == Mode::gpu)
      fmt::print(
          "  {} with every node on the GPU, {} with a node on the CPU, {} with no node left at run "
          "time\n",
          count.all_on_gpu, count.some_on_cpu, count.folded);
    for (const auto& [why, times] : count.why_on_cpu)
      fmt::print("  on the CPU {} times: {}\n", times, why);
  }
}

Result<void> register_all(const fs::path& folder, const std::string& skip_file) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  VULTUS_TRY(Skips skips, read_skips(skip_file, names));
  for (const std::string& name : names) {
    const Case what = read_case(folder / name);
    register_case(what, Mode::cpu, "OnnxNodeCpu", skips);
    register_case(what, Mode::gpu, "OnnxNodeGpu", skips);
  }
  return {};
}

}  // namespace

}  // namespace vultus::test

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc != 3) {
    fmt::print(stderr, "usage: test_onnx_backend FOLDER SKIP_FILE\n");
    return 2;
  }
  constexpr int kSkipped = 77;
  if (!std::filesystem::is_directory(argv[1])) {
    fmt::print(stderr, "{} is absent: run tools/onnx-tests and prepare.py\n", argv[1]);
    return std::getenv("CI") ? 1 : kSkipped;
  }
  if (auto registered = vultus::test::register_all(argv[1], argv[2]); !registered) {
    fmt::print(stderr, "{}\n", registered.error().what);
    return 1;
  }
  const int status = RUN_ALL_TESTS();
  vultus::test::print_summary();
  return status;
}
