#include "engine/output/normalize.h"

#include <cmath>

namespace penult {

void l2_normalize(std::span<float> rows, int64_t elems) {
  for (; !rows.empty(); rows = rows.subspan(static_cast<size_t>(elems))) {
    const std::span<float> row = rows.first(static_cast<size_t>(elems));
    double squares = 0;  // of floats: neither overflows nor vanishes in double
    for (const float value : row)
      squares += static_cast<double>(value) * static_cast<double>(value);
    if (squares == 0) continue;
    const double norm = std::sqrt(squares);
    for (float& value : row) value = static_cast<float>(static_cast<double>(value) / norm);
  }
}

}  // namespace penult
