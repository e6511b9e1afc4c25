#include "engine/exec/deliver.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"

namespace penult {
namespace {

void zero(float* from, const float* to) {
  std::memset(from, 0, static_cast<size_t>(to - from) * sizeof(float));
}

// One image: rows above, rows below, and the ends of each row between.
void zero_image_halo(const kernels::TensorDesc& d, float* image) {
  float* const begin = image - d.halo.top * d.row_stride - d.halo.left * d.pixel_stride;
  float* const first_row = image - d.halo.left * d.pixel_stride;
  zero(begin, first_row);
  for (int64_t h = 0; h < d.shape.h; ++h) {
    float* const row = first_row + h * d.row_stride;
    zero(row, row + d.halo.left * d.pixel_stride);
    zero(row + (d.halo.left + d.shape.w) * d.pixel_stride, row + d.row_stride);
  }
  zero(first_row + d.shape.h * d.row_stride, begin + d.image_stride);
}

// With the number of planes known, compilers make shuffles of it.
void interleave_3(const float* __restrict from, int64_t plane, int64_t pixels,
                  float* __restrict to) {
  for (int64_t w = 0; w < pixels; ++w) {
    to[3 * w] = from[w];
    to[3 * w + 1] = from[plane + w];
    to[3 * w + 2] = from[2 * plane + w];
  }
}

// `from` is the row in the first plane.
void copy_planar_row(const float* from, const kernels::TensorDesc& desc, float* to) {
  const Shape& shape = desc.shape;
  const int64_t plane = shape.h * shape.w;
  if (shape.c == 3 && desc.pixel_stride == 3) return interleave_3(from, plane, shape.w, to);
  // The row at once: it stays in L1, and a call for each pixel's rest would cost more.
  if (desc.pixel_stride != shape.c) zero(to, to + shape.w * desc.pixel_stride);
  for (int64_t w = 0; w < shape.w; ++w) {
    for (int64_t c = 0; c < shape.c; ++c) to[w * desc.pixel_stride + c] = from[c * plane + w];
  }
}

// With the number of floats known, a pixel is a few stores.
template <int64_t kPixelStride>
void copy_rgb8_row(const uint8_t* from, const Rgb8Values& values, const kernels::TensorDesc& desc,
                   float* to) {
  PENULT_DCHECK(desc.shape.c == 3 && desc.pixel_stride == kPixelStride);
  const uint8_t *first = from + values.byte[0], *second = from + values.byte[1],
                *third = from + values.byte[2];
  for (int64_t w = 0; w < desc.shape.w; ++w, to += kPixelStride) {
    to[0] = values.value[0][first[3 * w]];
    to[1] = values.value[1][second[3 * w]];
    to[2] = values.value[2][third[3 * w]];
    for (int64_t c = 3; c < kPixelStride; ++c) to[c] = 0;
  }
}

}  // namespace

void zero_halo(const kernels::TensorDesc& desc, float* dst, int64_t n, Part part) {
  if (desc.halo == kernels::Halo{}) return;
  for (int64_t i = part.begin(n); i < part.end(n); ++i) {
    zero_image_halo(desc, dst + i * desc.image_stride);
  }
}

void copy_input(const InputImages& src, const kernels::TensorDesc& desc, float* dst, int64_t n,
                Part part) {
  const Shape& shape = desc.shape;
  for (int64_t row = part.begin(n * shape.h); row < part.end(n * shape.h); ++row) {
    const int64_t image = row / shape.h, h = row % shape.h;
    float* to = dst + image * desc.image_stride + h * desc.row_stride;
    if (src.rgb8 != nullptr) {
      const auto copy =
          desc.pixel_stride == 3 ? copy_rgb8_row<3> : copy_rgb8_row<kernels::kChannelPad>;
      copy(src.rgb8 + row * shape.w * 3, *src.values, desc, to);
    } else {
      copy_planar_row(src.planar + (image * shape.c * shape.h + h) * shape.w, desc, to);
    }
  }
}

void deliver(const kernels::TensorDesc& desc, const float* src, Pooling pooling, float* dst,
             int64_t n, Part part) {
  const Shape& shape = desc.shape;
  const auto pool = pooling_def(shape.is_map() ? pooling : Pooling::kNone).pool;
  PENULT_DCHECK(pool != nullptr);
  const int64_t feature_elems = delivery_elems(shape, pooling);
  const int64_t blocks = (shape.c + kPoolChannels - 1) / kPoolChannels;
  for (int64_t job = part.begin(n * blocks); job < part.end(n * blocks); ++job) {
    const int64_t image = job / blocks, channel = job % blocks * kPoolChannels;
    pool({.first = src + image * desc.image_stride + channel,
          .shape = shape,
          .channel = channel,
          .channels = std::min(kPoolChannels, shape.c - channel),
          .pixel_stride = desc.pixel_stride,
          .row_stride = desc.row_stride},
         dst + image * feature_elems);
  }
}

}  // namespace penult
