#include "apps/startup.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "host/core/stopwatch.hpp"

extern char** environ;

namespace vultus::app {

namespace {

namespace fs = std::filesystem;

/// A folder for caches, gone afterwards.
class CacheFolder {
 public:
  CacheFolder() {
    std::string name = (fs::temp_directory_path() / "vultus-startup-XXXXXX").string();
    if (mkdtemp(name.data())) path_ = name;
  }
  ~CacheFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// This environment with our caches and the drivers' in that folder.
std::vector<std::string> environment_with(const std::string& folder) {
  std::vector<std::string> variables = {"XDG_CACHE_HOME=" + folder,
                                        "MESA_SHADER_CACHE_DIR=" + folder,
                                        "__GL_SHADER_DISK_CACHE_PATH=" + folder};
  for (char** v = environ; *v; ++v) {
    std::string_view text = *v;
    std::string_view key = text.substr(0, text.find('=') + 1);
    if (std::none_of(variables.begin(), variables.begin() + 3,
                     [&](const std::string& ours) { return ours.starts_with(key); }))
      variables.emplace_back(text);
  }
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts)
    list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// What this program prints when called so.
Result<std::string> output_of(std::vector<std::string> arguments, const std::string& folder) {
  const Error failed{Errc::internal, "a start could not be measured: no new process"};
  int ends[2];
  if (pipe(ends) != 0) return failed;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::vector<std::string> environment = environment_with(folder);
  pid_t child = 0;
  int spawned = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, pointers(arguments).data(),
                            pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got; spawned == 0 && (got = read(ends[0], buffer, sizeof(buffer))) > 0;)
    text.append(buffer, static_cast<size_t>(got));
  close(ends[0]);
  int status = 0;
  if (spawned != 0 || waitpid(child, &status, 0) != child || status != 0) return failed;
  return text;
}

Result<Json> one_start(const std::vector<std::string>& arguments, const std::string& folder) {
  Stopwatch watch;
  VULTUS_TRY(std::string text, output_of(arguments, folder));
  const double process_ms = watch.lap_ms();
  Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.contains("runs") || document["runs"].empty())
    return Error{Errc::internal, "a start could not be measured: no answer"};
  const Json& run = document["runs"][0];
  Json times;
  for (const char* key : {"import_ms", "passes_ms", "plan_ms", "compile_ms", "load_ms", "first_ms"})
    times[key] = run[key];
  times["first_result_ms"] = run["load_ms"].get<double>() + run["first_ms"].get<double>();
  times["process_ms"] = process_ms;
  return times;
}

}  // namespace

Result<Json> measure_startup(const std::vector<std::string>& arguments) {
  CacheFolder folder;
  if (folder.path().empty())
    return Error{Errc::unwritable, "no folder for temporary files: set TMPDIR"};
  VULTUS_TRY(Json cold, one_start(arguments, folder.path()));
  VULTUS_TRY(Json warm, one_start(arguments, folder.path()));
  return Json{{"cold", cold}, {"warm", warm}};
}

void print_startup(const std::string& device, const Json& startup) {
  fmt::print(
      "\n{}: from start to first result, ms\n{:<6} {:>8} {:>8} {:>8} {:>9} {:>9} {:>13} {:>9}\n",
      device, "caches", "import", "passes", "plan", "compile", "first run", "first result",
      "process");
  for (const char* which : {"cold", "warm"}) {
    const Json& t = startup[which];
    auto ms = [&](const char* key) { return t[key].get<double>(); };
    fmt::print("{:<6} {:>8.1f} {:>8.1f} {:>8.1f} {:>9.1f} {:>9.1f} {:>13.1f} {:>9.1f}\n", which,
               ms("import_ms"), ms("passes_ms"), ms("plan_ms"), ms("compile_ms"), ms("first_ms"),
               ms("first_result_ms"), ms("process_ms"));
  }
}

}  // namespace vultus::app
