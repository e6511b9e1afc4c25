#pragma once

// Arithmetic on sizes that come from a file: overflow is an answer, never a wrapped number.

#include <cstdint>
#include <optional>
#include <span>

namespace penult {

inline std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

inline std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

// `alignment` is a power of two.
inline std::optional<uint64_t> checked_align_up(uint64_t value, uint64_t alignment) {
  const auto padded = checked_add(value, alignment - 1);
  if (!padded) return std::nullopt;
  return *padded & ~(alignment - 1);
}

// Product of dims; every dim must be >= 0.
inline std::optional<uint64_t> checked_product(std::span<const int64_t> dims) {
  uint64_t product = 1;
  for (const int64_t dim : dims) {
    if (dim < 0) return std::nullopt;
    const auto next = checked_mul(product, static_cast<uint64_t>(dim));
    if (!next) return std::nullopt;
    product = *next;
  }
  return product;
}

// For sizes that cannot overflow any more.
constexpr uint64_t align_up(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace penult
