// Epilogue activations; numbers as in host/graph/activation.hpp.
float activate1(float x, uint kind, float alpha, float beta) {
  switch (kind) {
    case 1u: return max(x, 0.0);                                    // Relu
    case 2u: return x < 0.0 ? alpha * x : x;                        // LeakyRelu
    case 3u: return 1.0 / (1.0 + exp(-x));                          // Sigmoid
    case 4u: return x / (1.0 + exp(-x));                            // Silu
    case 5u: return clamp(x, alpha, beta);                          // Clip
    case 6u: return clamp(alpha * x + beta, 0.0, 1.0);              // HardSigmoid
    case 7u: return x * clamp(x / 6.0 + 0.5, 0.0, 1.0);             // HardSwish
    case 8u: return tanh(clamp(x, -20.0, 20.0));                    // Tanh
    default: return x;
  }
}
vec4 activate(vec4 x, uint kind, float alpha, float beta) {
  switch (kind) {
    case 0u: return x;
    case 1u: return max(x, vec4(0));
    case 2u: return mix(x, alpha * x, lessThan(x, vec4(0)));
    case 3u: return 1.0 / (1.0 + exp(-x));
    case 4u: return x / (1.0 + exp(-x));
    case 5u: return clamp(x, vec4(alpha), vec4(beta));
    default: return vec4(activate1(x.x, kind, alpha, beta), activate1(x.y, kind, alpha, beta),
                         activate1(x.z, kind, alpha, beta), activate1(x.w, kind, alpha, beta));
  }
}
