#include "models/face/landmarks.hpp"  // gpu must not see models: this file must not compile
