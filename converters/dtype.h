#pragma once

// Element types of tensors in files of weights, and their numbers as float32.

#include <cstddef>
#include <cstdint>
#include <span>

namespace penult::converters {

enum class Dtype {
  kFloat32,
  kFloat64,
  kFloat16,
  kBfloat16,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUint64,
  kUint32,
  kUint16,
  kUint8,
  kBool
};

size_t dtype_bytes(Dtype dtype);
const char* dtype_name(Dtype dtype);
// Tensors of other types are counters: their numbers are not used.
bool is_float(Dtype dtype);

// The element that starts at `from`; 0 if it is no float.
float to_float(const uint8_t* from, Dtype dtype);
// `from` holds to.size() elements, little-endian.
void to_floats(std::span<const uint8_t> from, Dtype dtype, std::span<float> to);

}  // namespace penult::converters
