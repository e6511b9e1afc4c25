#include "converters/dtype.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace penult::converters {
namespace {

static_assert(std::endian::native == std::endian::little);

struct Row {
  size_t bytes;
  const char* name;
};

constexpr std::array<Row, 13> kRows = {{{4, "float32"},
                                        {8, "float64"},
                                        {2, "float16"},
                                        {2, "bfloat16"},
                                        {8, "int64"},
                                        {4, "int32"},
                                        {2, "int16"},
                                        {1, "int8"},
                                        {8, "uint64"},
                                        {4, "uint32"},
                                        {2, "uint16"},
                                        {1, "uint8"},
                                        {1, "bool"}}};

float from_half(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float sign = (bits & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

template <typename T>
T load(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

size_t dtype_bytes(Dtype dtype) { return kRows[static_cast<size_t>(dtype)].bytes; }

const char* dtype_name(Dtype dtype) { return kRows[static_cast<size_t>(dtype)].name; }

bool is_float(Dtype dtype) {
  return dtype == Dtype::kFloat32 || dtype == Dtype::kFloat64 || dtype == Dtype::kFloat16 ||
         dtype == Dtype::kBfloat16;
}

float to_float(const uint8_t* from, Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return load<float>(from);
    case Dtype::kFloat64:
      return static_cast<float>(load<double>(from));
    case Dtype::kFloat16:
      return from_half(load<uint16_t>(from));
    case Dtype::kBfloat16:
      return std::bit_cast<float>(static_cast<uint32_t>(load<uint16_t>(from)) << 16);
    default:
      return 0;
  }
}

void to_floats(std::span<const uint8_t> from, Dtype dtype, std::span<float> to) {
  const size_t width = dtype_bytes(dtype);
  for (size_t i = 0; i < to.size(); ++i) to[i] = to_float(from.data() + i * width, dtype);
}

}  // namespace penult::converters
