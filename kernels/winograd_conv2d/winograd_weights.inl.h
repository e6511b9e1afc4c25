#pragma once

// G w G' of F(2,3) while a layer runs. Its 16 products have 16/9 of the memory of w; with tiles
// enough the transform costs little more time than to read them (docs/decisions/0018).

#include "kernels/simd/rows.inl.h"
#include "kernels/winograd_conv2d/winograd_conv2d_params.h"
#include "kernels/winograd_conv2d/winograd_transform.inl.h"

namespace penult::kernels {
namespace {

// The weights of a panel. A product of rows 0 and 3 comes from one row of w, and the four in the
// corners are taps of w themselves; rows 1 and 2 come from all of w. So the two outer rows are
// transformed and used before the two inner ones, in the same room.
template <class Vec>
struct PanelTaps {
  const float* taps;  // [ky][kx][pitch]
  float* room;        // [kTransformedAtOnce][pitch]
  int64_t floats;     // ic * channels of the panel: whole vectors
  int64_t pitch;

  static constexpr bool is_outer(int row) { return row == 0 || row == 3; }

  // [ic][channels of the panel] of product (row, column), while its row is in the room.
  const float* product(int row, int column) const {
    if (!is_outer(row)) return room + (4 * (row - 1) + column) * pitch;
    if (is_outer(column)) return taps + (2 * row + column * 2 / 3) * pitch;
    return room + (2 * (row / 3) + column - 1) * pitch;
  }

  void transform_outer() const {
    transform_row(taps, room);
    transform_row(taps + 6 * pitch, room + 2 * pitch);
  }

  PENULT_NOINLINE void transform_inner() const {
    Multiples<4> planes(pitch);
    const float* const from[3] = {taps, taps + 3 * pitch, taps + 6 * pitch};
    float* const to[2] = {room, room + 4 * pitch};
    for (int64_t i = 0; i < floats; i += Vec::kLanes) {
      Vec rows[2][3];
      planes.hide();
      PENULT_UNROLL
      for (int x = 0; x < 3; ++x) {
        Vec w[3], t[4];
        PENULT_UNROLL
        for (int y = 0; y < 3; ++y) w[y] = Vec::load(behind(from[y] + i, planes[x]));
        F23::weights(w, t);
        rows[0][x] = t[1];
        rows[1][x] = t[2];
      }
      PENULT_UNROLL
      for (int y = 0; y < 2; ++y) {
        Vec t[4];
        F23::weights(rows[y], t);
        PENULT_UNROLL
        for (int x = 0; x < 4; ++x) Vec::store(behind(to[y] + i, planes[x]), t[x]);
      }
    }
  }

 private:
  PENULT_NOINLINE void transform_row(const float* from, float* to) const {
    for (int64_t i = 0; i < floats; i += Vec::kLanes) {
      Vec w[3], t[4];
      PENULT_UNROLL
      for (int x = 0; x < 3; ++x) w[x] = Vec::load(from + i + x * pitch);
      F23::weights(w, t);
      Vec::store(to + i, t[1]);
      Vec::store(to + i + pitch, t[2]);
    }
  }
};

}  // namespace
}  // namespace penult::kernels
