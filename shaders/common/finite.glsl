// By the bits: a compiler may take it that there are no infinities and no NaN.
bool finite(float x) {
  return (floatBitsToUint(x) & 0x7f800000u) != 0x7f800000u;
}
