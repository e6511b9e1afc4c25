#pragma once

// Which source pixels make up a pixel of one side of a resized picture, and with which weights.

#include <cstdint>
#include <vector>

namespace penult::kernels {

enum class ResizeFilter { kBilinear, kBicubic };

// Of the output positions [begin, begin + size()) of a side: the first input position, how many,
// and their weights. Neither first nor first + count ever decreases.
struct ResizeTaps {
  int64_t stride = 0;  // weights a position
  std::vector<int64_t> first, count;
  std::vector<int32_t> weights;
  int64_t max_count = 0;
  int64_t pairs = 0;            // of weights a position, when packed
  std::vector<int16_t> packed;  // see resize_params.h
  std::vector<double> exact;    // of one position, while weights are made

  int64_t size() const { return static_cast<int64_t>(count.size()); }
  int64_t begin() const { return first.front(); }
  int64_t end() const { return first[count.size() - 1] + count.back(); }
};

// Of the side `in` resized to `out`, the positions [begin, end).
void make_taps(int64_t in, int64_t out, ResizeFilter filter, int64_t begin, int64_t end,
               ResizeTaps& taps);

// For ResizeBlend: position after position, pairs * 4 numbers each.
void pack_for_rows(ResizeTaps& taps);

// For ResizeRow. `first` becomes what that wants: bytes behind pixel begin(), for whole groups.
void pack_for_columns(ResizeTaps& taps);

}  // namespace penult::kernels
