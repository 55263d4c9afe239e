#include "gpu/device.hpp"  // host must not see gpu: this file must not compile
