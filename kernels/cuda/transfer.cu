#include "kernels/cuda/flat.cuh"
#include "kernels/cuda/transfer.h"

namespace penult::kernels::cuda {
namespace {

struct Pixels {
  Divider pixels, groups;  // of an image, of a pixel
  int c;
};

Pixels pixels_of(const DeviceMap& map) {
  return {Divider::by(map.shape.h * map.shape.w), Divider::by(map.pixel_stride / kGroup),
          static_cast<int>(map.shape.c)};
}

int64_t groups_of(const DeviceMap& map, int64_t n) {
  return n * map.shape.h * map.shape.w * (map.pixel_stride / kGroup);
}

// Neighbouring threads take neighbouring pixels of the same channels: those lie together in the
// source, and in dst too while there are no more than 8 channels.
template <class T>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    planar_kernel(uint32_t count, const float* __restrict__ planar, Pixels p, T* __restrict__ dst) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  const Quotient block = divide(i, p.pixels);  // of one image and group
  const Quotient image = divide(block.whole, p.groups);
  const int first = static_cast<int>(image.rest) * kGroup;
  float x[kGroup] = {};
  GPU_UNROLL for (int k = 0; k < kGroup; ++k) {
    const size_t plane = static_cast<size_t>(image.whole) * p.c + first + k;
    if (first + k < p.c) x[k] = planar[plane * p.pixels.divisor + block.rest];
  }
  const size_t pixel = static_cast<size_t>(image.whole) * p.pixels.divisor + block.rest;
  store8(dst + (pixel * p.groups.divisor + image.rest) * kGroup, x);
}

struct Channels {
  int source[3];
};

template <class T>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    rgb8_kernel(uint32_t count, const uint8_t* __restrict__ rgb8, const float* __restrict__ values,
                Channels channels, Divider groups, T* __restrict__ dst) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  const Quotient pixel = divide(i, groups);
  float x[kGroup] = {};
  if (pixel.rest == 0) {
    GPU_UNROLL for (int c = 0; c < 3; ++c) {
      const uint8_t byte = rgb8[static_cast<size_t>(pixel.whole) * 3 + channels.source[c]];
      x[c] = values[c * 256 + byte];
    }
  }
  store8(dst + static_cast<size_t>(i) * kGroup, x);
}

template <class T>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    export_kernel(uint32_t count, const T* __restrict__ src, float* __restrict__ dst) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  float x[kGroup];
  load8(src + static_cast<size_t>(i) * kGroup, x);
  store8(dst + static_cast<size_t>(i) * kGroup, x);
}

template <class T>
gpu::Error planar_to(const DeviceMap& map, int64_t n, const float* planar, void* dst,
                     gpu::Stream stream) {
  return launch_flat(planar_kernel<T>, groups_of(map, n), stream, planar, pixels_of(map),
                     static_cast<T*>(dst));
}

template <class T>
gpu::Error rgb8_to(const DeviceMap& map, int64_t n, const uint8_t* rgb8, const float* values,
                   const Channels& channels, void* dst, gpu::Stream stream) {
  return launch_flat(rgb8_kernel<T>, groups_of(map, n), stream, rgb8, values, channels,
                     pixels_of(map).groups, static_cast<T*>(dst));
}

template <class T>
gpu::Error export_from(const DeviceMap& map, int64_t n, const void* src, float* dst,
                       gpu::Stream stream) {
  return launch_flat(export_kernel<T>, groups_of(map, n), stream, static_cast<const T*>(src), dst);
}

}  // namespace

gpu::Error import_planar(const DeviceMap& map, int64_t n, const float* planar, void* dst,
                         gpu::Stream stream) {
  const auto launch = map.precision == Precision::kF32 ? planar_to<float> : planar_to<gpu::Half>;
  return launch(map, n, planar, dst, stream);
}

gpu::Error import_rgb8(const DeviceMap& map, int64_t n, const uint8_t* rgb8, const float* values,
                       const int (&source)[3], void* dst, gpu::Stream stream) {
  const auto launch = map.precision == Precision::kF32 ? rgb8_to<float> : rgb8_to<gpu::Half>;
  return launch(map, n, rgb8, values, {{source[0], source[1], source[2]}}, dst, stream);
}

gpu::Error export_f32(const DeviceMap& map, int64_t n, const void* src, float* dst,
                      gpu::Stream stream) {
  const auto launch =
      map.precision == Precision::kF32 ? export_from<float> : export_from<gpu::Half>;
  return launch(map, n, src, dst, stream);
}

}  // namespace penult::kernels::cuda
