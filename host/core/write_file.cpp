#include "host/core/write_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace vultus {

Result<void> write_file(const std::string& path, std::initializer_list<std::string_view> parts) {
  // The process id keeps two writers of the same path apart.
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  std::error_code ignored;
  auto fail = [&](std::string_view what) {
    std::filesystem::remove(temporary, ignored);
    return Error{Errc::unwritable, fmt::format("{}: {}", path, what)};
  };
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    if (!file) return fail("cannot be created; check that the folder exists and is writable");
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
