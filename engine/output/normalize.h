#pragma once

#include <cstdint>
#include <span>

namespace penult {

// Divides each row of `elems` values by its Euclidean norm, in double, rounded once; a row of zeros
// stays. An infinity becomes NaN and what is beside it 0, a NaN makes the row NaN, as in NumPy.
void l2_normalize(std::span<float> rows, int64_t elems);

}  // namespace penult
