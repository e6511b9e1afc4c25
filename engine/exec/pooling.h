#pragma once

// How a map becomes a feature: THE table of poolings.

#include <span>
#include <vector>

#include "engine/base/shape.h"
#include "penult/extractor.h"

namespace penult {

// Channels are pooled in blocks of one cache line.
inline constexpr int64_t kPoolChannels = 16;

// Up to kPoolChannels channels of one image's map: channel c of the block at (0, 0) is first[c].
// `shape` is that of the whole map, `channel` the first of the block there.
struct MapBlock {
  const float* first;
  Shape shape;
  int64_t channel, channels;
  int64_t pixel_stride, row_stride;

  const float* pixel(int64_t y, int64_t x) const {
    return first + y * row_stride + x * pixel_stride;
  }
};

struct PoolingDef {
  Pooling pooling;
  const char* name;                // on the command line
  int64_t (*elems)(const Shape&);  // of the feature of a map
  bool keeps_map;                  // the feature is (c, h, w), else a vector
  // Writes the block's part of `feature`, which is that of the whole image. Each number is computed
  // from its own channel, always in the same order, in double where there are sums, and rounded
  // once. Null: the network's own operator does it (network.cpp).
  void (*pool)(const MapBlock& map, float* feature);
};

// In the order of the enum. A row is all that a pooling needs besides its number.
std::span<const PoolingDef> poolings();
const PoolingDef& pooling_def(Pooling pooling);

// Of one image's feature. A vector is left alone.
std::vector<int64_t> delivery_dims(const Shape& shape, Pooling pooling);
int64_t delivery_elems(const Shape& shape, Pooling pooling);

}  // namespace penult
