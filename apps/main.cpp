#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>

#include "apps/common.hpp"
#include "apps/usage.hpp"

namespace {

/// OpenMP threads spin at every barrier unless the environment says otherwise before the program is
/// loaded. Beside video encoders that makes everything ten times slower (DECISIONS.md, 5). So: a
/// short spin, and start once more.
void spin_briefly(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != "process") return;
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  setenv("GOMP_SPINCOUNT", "2000", 1);
  execv("/proc/self/exe", argv);  // where that is not possible, slower is better than not at all
}

/// Weights pass through several blocks of memory while a network is loaded. Fresh pages for each
/// cost more than copying: what is freed serves again instead of going back to the system.
void reuse_memory() {
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_TOP_PAD, 16 << 20);
}

int run(int argc, char** argv) {
  vultus::app::remember_command(argc, argv);
  using namespace vultus::app;
  CLI::App app{
      "vultus: face video to measurements, and ONNX inference, on any Vulkan GPU or the CPU.\n"
      "Not a medical device. It opens no network connection.",
      "vultus"};
  app.set_version_flag("--version", fmt::format("vultus {}", VULTUS_VERSION));
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  vultus process clips/ -o results/\n"
      "  vultus bench model.onnx --device gpu,cpu\n"
      "Exit codes: 0 complete, 1 failure, 2 usage, 3 partial, 4 input unreadable, 5 model "
      "rejected, 6 no usable device,\n"
      "7 device lost or out of memory, 8 output not writable, 9 verification mismatch, 130 "
      "interrupted.");
  int status = kComplete;
  add_process(app, status);
  add_verify(app, status);
  add_convert(app, status);
  add_run(app, status);
  add_plan(app, status);
  add_bench(app, status);
  add_check(app, status);
  add_inspect(app, status);
  add_devices(app, status);
  add_operators(app, status);
  add_doctor(app, status);
  add_completion(app, status);
  add_manual(app, status);
  if (argc == 1) {
    fmt::print(stderr, "{}", app.help());
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, argc, argv, error);
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace vultus;
  spin_briefly(argc, argv);
  reuse_memory();
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    return app::report(
        {Errc::out_of_memory, "not enough memory: end other programs, or use smaller inputs"});
  } catch (const std::system_error& error) {
    return app::report(
        {Errc::out_of_memory,
         fmt::format("the system refused memory, a thread or a file ({}): end other programs, or "
                     "raise the limit (ulimit)",
                     error.what())});
  } catch (const std::exception& error) {
    return app::report({Errc::internal, fmt::format("failed, please report it: {}", error.what())});
  }
}
