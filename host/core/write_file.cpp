#include "host/core/write_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vultus {

namespace {

// The process id keeps two writers of the same path apart.
std::string temporary_of(const std::string& path) {
  return fmt::format("{}.{}.tmp", path, getpid());
}

Error cannot_be_created(const std::string& path) {
  return {Errc::unwritable,
          fmt::format("{}: cannot be created; check that the folder exists and is writable", path)};
}

}  // namespace

Result<void> check_writable(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    return Error{Errc::unwritable, fmt::format("{}: is a folder; name a file in it", path)};
  const std::string temporary = temporary_of(path);
  if (!std::ofstream(temporary, std::ios::binary)) return cannot_be_created(path);
  std::filesystem::remove(temporary, error);
  return {};
}

Result<void> write_file(const std::string& path, std::initializer_list<std::string_view> parts) {
  const std::string temporary = temporary_of(path);
  std::error_code ignored;
  auto fail = [&](std::string_view what) {
    std::filesystem::remove(temporary, ignored);
    return Error{Errc::unwritable, fmt::format("{}: {}", path, what)};
  };
  if (std::filesystem::is_directory(path, ignored)) return fail("is a folder; name a file in it");
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    if (!file) return cannot_be_created(path);
    for (std::string_view part : parts)
      file.write(part.data(), static_cast<std::streamsize>(part.size()));
    file.close();
    if (!file) return fail("could not be written completely; is the disk full?");
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error) return fail(fmt::format("could not be put in place: {}", error.message()));
  return {};
}

}  // namespace vultus
