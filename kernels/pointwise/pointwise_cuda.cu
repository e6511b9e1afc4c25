#include "kernels/cuda/flat.cuh"
#include "kernels/pointwise/pointwise_cuda.h"

namespace penult::kernels::cuda {
namespace {

// Eight channels of a pixel of dst.
struct Place {
  uint32_t index;  // of all such groups
  uint32_t image, group;
};

template <class T>
GPU_FN void load_group(const T* map, size_t index, float (&x)[kGroup]) {
  load8(map + index * kGroup, x);
}

template <class T>
struct Function {
  const T* src;
  Activation function;

  GPU_FN void compute(const Place& at, float (&x)[kGroup]) const {
    load_group(src, at.index, x);
    activate(function, x);
  }
};

template <class T>
struct Sum {
  const T *a, *b;

  GPU_FN void compute(const Place& at, float (&x)[kGroup]) const {
    float y[kGroup];
    load_group(a, at.index, x);
    load_group(b, at.index, y);
    GPU_UNROLL for (int i = 0; i < kGroup; ++i) x[i] += y[i];
  }
};

// `groups` of a source that has one pixel for all of an image; 0 of one that has them all.
template <class T>
struct Factor {
  const T* data;
  uint32_t groups;

  GPU_FN void load(const Place& at, float (&x)[kGroup]) const {
    const size_t only = static_cast<size_t>(at.image) * groups + at.group;
    load_group(data, groups == 0 ? at.index : only, x);
  }
};

template <class T>
struct Product {
  Factor<T> a, b;

  GPU_FN void compute(const Place& at, float (&x)[kGroup]) const {
    float y[kGroup];
    a.load(at, x);
    b.load(at, y);
    GPU_UNROLL for (int i = 0; i < kGroup; ++i) x[i] *= y[i];
  }
};

template <class T>
struct ScaleAndShift {
  const T* src;
  const float *scale, *shift;

  GPU_FN void compute(const Place& at, float (&x)[kGroup]) const {
    float a[kGroup], b[kGroup];
    load_group(src, at.index, x);
    load_group(scale, at.group, a);
    load_group(shift, at.group, b);
    GPU_UNROLL for (int i = 0; i < kGroup; ++i) x[i] = gpu::fma(x[i], a[i], b[i]);
  }
};

template <class T, class Op>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    pointwise_kernel(uint32_t count, Divider groups, Divider pixels, Op op, Output<T> out) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  const Quotient pixel = divide(i, groups);
  const Place at = {i, divide(pixel.whole, pixels).whole, pixel.rest};
  float x[kGroup];
  op.compute(at, x);
  finish8(out, static_cast<size_t>(i) * kGroup, static_cast<int>(at.group) * kGroup, x);
}

template <class T, class Op>
gpu::Error launch_pointwise(const GpuArgs& args, const Op& op) {
  const TensorDesc& dst = args.problem.dst;
  return launch_flat(pointwise_kernel<T, Op>, dst_groups(args), args.stream,
                     Divider::by(groups_of(dst)), Divider::by(pixels_of(dst)), op,
                     output_of<T>(args));
}

template <class T>
Factor<T> factor(const GpuArgs& args, size_t index) {
  const TensorDesc& src = args.problem.src[index];
  const bool has_all = pixels_of(src) == pixels_of(args.problem.dst);
  return {source<T>(args, index), has_all ? 0 : static_cast<uint32_t>(groups_of(src))};
}

}  // namespace

template <class T>
gpu::Error launch_activation(const GpuArgs& args) {
  return launch_pointwise<T>(args, Function<T>{source<T>(args, 0), args.problem.function});
}

template <class T>
gpu::Error launch_add(const GpuArgs& args) {
  return launch_pointwise<T>(args, Sum<T>{source<T>(args, 0), source<T>(args, 1)});
}

template <class T>
gpu::Error launch_mul(const GpuArgs& args) {
  return launch_pointwise<T>(args, Product<T>{factor<T>(args, 0), factor<T>(args, 1)});
}

template <class T>
gpu::Error launch_batchnorm(const GpuArgs& args) {
  const auto* scale = reinterpret_cast<const float*>(args.packed);
  const float* shift = scale + args.problem.dst.pixel_stride;
  return launch_pointwise<T>(args, ScaleAndShift<T>{source<T>(args, 0), scale, shift});
}

template gpu::Error launch_activation<float>(const GpuArgs&);
template gpu::Error launch_activation<gpu::Half>(const GpuArgs&);
template gpu::Error launch_add<float>(const GpuArgs&);
template gpu::Error launch_add<gpu::Half>(const GpuArgs&);
template gpu::Error launch_batchnorm<float>(const GpuArgs&);
template gpu::Error launch_batchnorm<gpu::Half>(const GpuArgs&);
template gpu::Error launch_mul<float>(const GpuArgs&);
template gpu::Error launch_mul<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
