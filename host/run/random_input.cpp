#include "host/run/random_input.hpp"

#include <random>

namespace vultus {

Tensor random_input(const Value& value) {
  Tensor tensor(value.dtype, value.shape);
  std::mt19937 engine(20261121);
  std::uniform_real_distribution<float> uniform(-1, 1);
  if (value.dtype == DType::f32)
    for (float& x : tensor.as<float>())
      x = uniform(engine);
  return tensor;
}

}  // namespace vultus
