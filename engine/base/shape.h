#pragma once

#include <cstdint>
#include <string>

namespace penult {

// The shape of one image's value; the batch is never part of it.
// A map is (c, h, w); a vector has rank 1 and h = w = 1.
struct Shape {
  int64_t c = 0, h = 1, w = 1;
  int rank = 3;  // 3: map, 1: vector

  static Shape map(int64_t c, int64_t h, int64_t w) { return {c, h, w, 3}; }
  static Shape vector(int64_t c) { return {c, 1, 1, 1}; }

  bool is_map() const { return rank == 3; }
  int64_t elems() const { return c * h * w; }
  bool operator==(const Shape&) const = default;
  std::string to_string() const {  // (c,h,w) or (c)
    if (!is_map()) return "(" + std::to_string(c) + ")";
    return "(" + std::to_string(c) + "," + std::to_string(h) + "," + std::to_string(w) + ")";
  }
};

}  // namespace penult
