#include "models/process/program.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstring>

namespace vultus {

namespace {

constexpr size_t align4(size_t size) {
  return (size + 3) / 4 * 4;
}

/// The build ID in a note segment; empty where there is none.
std::string build_in(const char* notes, size_t size) {
  size_t at = 0;
  while (at + sizeof(ElfW(Nhdr)) <= size) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes + at, sizeof(head));
    const size_t name = at + sizeof(head), content = name + align4(head.n_namesz);
    at = content + align4(head.n_descsz);
    if (at > size) break;
    if (head.n_type != NT_GNU_BUILD_ID) continue;
    std::string text;
    for (size_t i = 0; i < head.n_descsz; ++i)
      text += fmt::format("{:02x}", static_cast<unsigned char>(notes[content + i]));
    return text;
  }
  return "";
}

/// The first object that is visited is the program itself.
int visit(dl_phdr_info* info, size_t, void* to) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* notes = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    if (std::string build = build_in(notes, segment.p_memsz); !build.empty())
      *static_cast<std::string*>(to) = std::move(build);
  }
  return 1;
}

}  // namespace

std::string program_version() {
  return VULTUS_VERSION;
}

std::string program_commit() {
  return VULTUS_COMMIT;
}

std::string program_build() {
  std::string build;
  dl_iterate_phdr(&visit, &build);
  return build;
}

std::string program() {
  std::string text = "vultus " + program_version();
  if (const std::string commit = program_commit(); !commit.empty()) text += ", commit " + commit;
  if (const std::string build = program_build(); !build.empty()) text += ", build " + build;
  return text;
}

}  // namespace vultus
