#pragma once

#include <string>

namespace vultus {

/// This program: "vultus 0.1.0, commit 1a2b3c4, build 5d6e7f..", each part where it is known. The
/// build is the linker's identity of the running file: another one may compute other last bits.
std::string program();
std::string program_version();
std::string program_commit();  ///< empty where it was not built from a repository
std::string program_build();   ///< hexadecimal; empty where the linker wrote none

}  // namespace vultus
