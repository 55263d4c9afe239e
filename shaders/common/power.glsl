// GLSL's pow knows no negative base.
float power(float x, float e) {
  if (e == 2.0) return x * x;
  if (e == 1.0) return x;
  if (e == 0.5) return sqrt(x);
  if (e == -0.5) return inversesqrt(x);
  if (e == 0.0) return 1.0;
  if (x == 0.0) return e > 0.0 ? 0.0 : 1.0 / abs(x);
  float r = exp2(e * log2(abs(x)));
  if (x > 0.0) return r;
  if (e != floor(e)) return sqrt(x);  // NaN
  return fract(0.5 * e) != 0.0 ? -r : r;
}
