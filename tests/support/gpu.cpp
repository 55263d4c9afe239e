#include <dlfcn.h>

#include <initializer_list>

// Khronos validation 1.3.239 and lavapipe 22.3 leak some of their own memory. Suppressions go by
// the name of the library, which is unknown once it is unloaded: so they stay.

namespace vultus::test {

bool keep_vulkan_libraries() {
#ifdef __SANITIZE_ADDRESS__
  bool kept = true;
  for (const char* name : {"libVkLayer_khronos_validation.so", "libvulkan_lvp.so"})
    kept = dlopen(name, RTLD_LAZY | RTLD_NODELETE) != nullptr && kept;
  return kept;
#else
  return false;
#endif
}

}  // namespace vultus::test

extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libVkLayer_khronos_validation.so\nleak:libvulkan_lvp.so\n";
}
