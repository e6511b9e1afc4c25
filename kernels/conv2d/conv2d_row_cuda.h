#pragma once

// From a row of a table to the launch functions of conv2d. For conv2d_cuda.cpp, and for tests with
// kernels of their own.

#include <algorithm>

#include "kernels/conv2d/conv2d_cuda.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

template <class T>
using Conv2dLaunch = gpu::Error (*)(const Conv2dParams<T>&, gpu::Stream);

// With groups, `ic` is that of one.
inline OhwiWeights conv2d_weights(const Problem& problem, Precision precision) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  return {.oc = g.oc, .ic = g.ic_per_group(), .kh = g.kh, .kw = g.kw, .precision = precision};
}

inline int64_t image_elems(const Shape& shape) { return shape.h * shape.w * padded(shape.c); }

// The larger one of an image's src and dst.
inline int64_t conv2d_image_elems(const Problem& problem) {
  return std::max(image_elems(problem.src[0].shape), image_elems(problem.dst.shape));
}

// Of one image, without its maps.
template <class T>
Conv2dParams<T> conv2d_params(const Problem& problem, const std::byte* packed) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  const size_t bias_offset = conv2d_weights(problem, kPrecisionOf<T>).bias_offset();
  return {.src = nullptr,
          .weights = reinterpret_cast<const T*>(packed),
          .bias = reinterpret_cast<const float*>(packed + bias_offset),
          .residual = nullptr,
          .dst = nullptr,
          .n = 1,
          .ih = static_cast<int>(g.ih),
          .iw = static_cast<int>(g.iw),
          .ic = static_cast<int>(padded(g.ic)),
          .oh = static_cast<int>(g.oh),
          .ow = static_cast<int>(g.ow),
          .oc = static_cast<int>(padded(g.oc)),
          .kh = static_cast<int>(g.kh),
          .kw = static_cast<int>(g.kw),
          .sh = static_cast<int>(g.sh),
          .sw = static_cast<int>(g.sw),
          .ph = static_cast<int>(g.ph),
          .pw = static_cast<int>(g.pw),
          .dh = static_cast<int>(g.dh),
          .dw = static_cast<int>(g.dw),
          .used_oc = static_cast<int>(g.oc),
          .group_ic = static_cast<int>(g.ic_per_group()),
          .group_oc = static_cast<int>(g.oc / g.groups),
          .weights_ic = static_cast<int>(padded(g.ic_per_group())),
          .activation = problem.epilogue.activation};
}

// As many images at a time as kernels can count: all, but for maps that hardly fit a device.
template <class T, Conv2dLaunch<T> kLaunch>
gpu::Error launch_conv2d(const GpuArgs& args) {
  Conv2dParams<T> params = conv2d_params<T>(args.problem, args.packed);
  const int64_t at_once = kConv2dMaxElems / conv2d_image_elems(args.problem);
  const int64_t src_image = image_elems(args.problem.src[0].shape);
  const int64_t dst_image = image_elems(args.problem.dst.shape);
  for (int64_t first = 0; first < args.n; first += at_once) {
    params.n = static_cast<int>(std::min(at_once, args.n - first));
    params.src = static_cast<const T*>(args.src[0]) + first * src_image;
    params.dst = static_cast<T*>(args.dst) + first * dst_image;
    if (args.residual != nullptr)
      params.residual = static_cast<const T*>(args.residual) + first * dst_image;
    const gpu::Error error = kLaunch(params, args.stream);
    if (error != 0) return error;
  }
  return 0;
}

template <class T, Conv2dLaunch<T> kLaunch>
constexpr GpuRow conv2d_row(const char* name, std::string (*declines)(const Problem&)) {
  return {.name = name,
          .precision = kPrecisionOf<T>,
          .launch = launch_conv2d<T, kLaunch>,
          .declines = declines,
          .packed_bytes = [](const Problem& problem) -> size_t {
            return conv2d_weights(problem, kPrecisionOf<T>).bytes();
          },
          .pack =
              [](const Problem& problem, Weights& weights, std::byte* packed) {
                return conv2d_weights(problem, kPrecisionOf<T>).pack(weights, packed);
              }};
}

}  // namespace penult::kernels::cuda
