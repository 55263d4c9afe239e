#pragma once

#include <string>
#include <vector>

namespace vultus::app {

/// One thing that was looked at.
struct Finding {
  enum class State { fine, warning, failure };
  State state = State::fine;
  std::string subject, text;  ///< text says what to do where not all is fine
};

/// The model pack, and a video written and read back: doctor_face.cpp or face_absent.cpp, chosen at
/// link time. `pack` as in find_pack.
std::vector<Finding> examine_face_pipeline(const std::string& pack);

}  // namespace vultus::app
