#pragma once

namespace vultus::app {

/// Gives what loading has used and freed back to the system, and keeps less of what is freed from
/// now on: a video takes long, and needs it.
void keep_no_spare_memory();

}  // namespace vultus::app
