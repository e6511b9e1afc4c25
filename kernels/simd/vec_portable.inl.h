// The body of vec_scalar.h and vec_portable16.h, which include it into a namespace of their own
// with PENULT_VEC_BYTES set: the compiler's own vectors, which run on any processor. fma() rounds
// twice, since the baseline has no fused multiply-add. No include guard: it is included once by
// each.

struct Vec {
  enum : int { kLanes = PENULT_VEC_BYTES / 4, kRegisters = PENULT_VEC_BYTES / 4 >= 16 ? 32 : 16 };
  typedef float Lanes __attribute__((vector_size(PENULT_VEC_BYTES)));
  typedef float Unaligned __attribute__((vector_size(PENULT_VEC_BYTES), aligned(4), may_alias));
  typedef int Ints __attribute__((vector_size(PENULT_VEC_BYTES)));
  typedef unsigned Bits __attribute__((vector_size(PENULT_VEC_BYTES)));
  Lanes v;

  static PENULT_INLINE Vec load(const float* p) { return {*reinterpret_cast<const Unaligned*>(p)}; }
  static PENULT_INLINE Vec load_kept(const float* p) { return load(p); }
  static PENULT_INLINE void store(float* p, Vec a) { *reinterpret_cast<Unaligned*>(p) = a.v; }
  static PENULT_INLINE Vec set(float x) { return {x - Lanes{}}; }
  static PENULT_INLINE Vec broadcast(const float* p) { return set(*p); }
  template <int kStep>
  static PENULT_INLINE Vec broadcast_at(uintptr_t base, uintptr_t distance) {
    return broadcast(reinterpret_cast<const float*>(base + distance) + kStep);
  }
  static PENULT_INLINE Vec add(Vec a, Vec b) { return {a.v + b.v}; }
  static PENULT_INLINE Vec sub(Vec a, Vec b) { return {a.v - b.v}; }
  static PENULT_INLINE Vec mul(Vec a, Vec b) { return {a.v * b.v}; }
  static PENULT_INLINE Vec div(Vec a, Vec b) { return {a.v / b.v}; }
  static PENULT_INLINE Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }
  static PENULT_INLINE void accumulate(Vec& sum, Vec a, Vec b) { sum = fma(a, b, sum); }
  static PENULT_INLINE Vec clamp(Vec a, Vec lo, Vec hi) {
    const Lanes raised = lo.v > a.v ? lo.v : a.v;
    return {hi.v < raised ? hi.v : raised};
  }
  static PENULT_INLINE Vec max(Vec a, Vec b) {
    const Lanes larger = a.v > b.v ? a.v : b.v;  // b if either is NaN
    return {a.v == a.v ? larger : a.v};
  }
  // Two factors, since one power of two cannot reach every result; the first product is exact.
  static PENULT_INLINE Vec ldexp(Vec a, Vec n) {
    // 1.5 * 2^23 + n holds n in its lowest bits; no conversion, which a NaN would make undefined.
    const Lanes magic = Lanes{} + 12582912.0F;
    const Bits whole = (Bits)(n.v + magic) - (Bits)magic;
    const Bits half = (Bits)((Ints)whole >> 1);
    return mul(mul(a, power_of_two(half)), power_of_two(whole - half));
  }
  static PENULT_INLINE Vec power_of_two(Bits n) { return {(Lanes)((n + 127U) << 23)}; }
  static PENULT_INLINE void prefetch(const void* p) { __builtin_prefetch(p, 0, 3); }
  static PENULT_INLINE void prefetch_write(const void* p) { __builtin_prefetch(p, 1, 3); }
};
