#include "kernels/conv2d/conv2d_cuda.h"
#include "kernels/conv2d/conv2d_direct_cuda.cuh"
#include "kernels/conv2d/conv2d_f16_cuda.cuh"
#include "kernels/conv2d/conv2d_f32_cuda.cuh"
#include "kernels/conv2d/conv2d_stem_cuda.cuh"

namespace penult::kernels::cuda {
namespace {

// Large tiles first: they read less for each product. A problem takes the first one that keeps
// every multiprocessor of an A100 busy, else the last.
constexpr int kMultiprocessors = 108;
struct F16Choice {
  int (*tiles)(const Conv2dParams<gpu::Half>&);
  gpu::Error (*launch)(const Conv2dParams<gpu::Half>&, gpu::Stream);
  int min_tiles;
};
constexpr F16Choice kF16Choices[] = {
    {f16_tiles<F16Tile128>, launch_f16<F16Tile128>, kMultiprocessors},
    {f16_tiles<F16Tile64>, launch_f16<F16Tile64>, 0},
};

}  // namespace

gpu::Error conv2d_igemm_f16(const Conv2dParams<gpu::Half>& params, gpu::Stream stream) {
  const F16Choice* choice = kF16Choices;
  while (choice->tiles(params) < choice->min_tiles) ++choice;
  return choice->launch(params, stream);
}

gpu::Error conv2d_igemm_f32(const Conv2dParams<float>& params, gpu::Stream stream) {
  return launch_f32(params, stream);
}

gpu::Error conv2d_stem_f16(const Conv2dParams<gpu::Half>& params, gpu::Stream stream) {
  return launch_stem(params, stream);
}

gpu::Error conv2d_stem_f32(const Conv2dParams<float>& params, gpu::Stream stream) {
  return launch_stem(params, stream);
}

gpu::Error conv2d_direct_f16(const Conv2dParams<gpu::Half>& params, gpu::Stream stream) {
  return launch_direct(params, stream);
}

gpu::Error conv2d_direct_f32(const Conv2dParams<float>& params, gpu::Stream stream) {
  return launch_direct(params, stream);
}

}  // namespace penult::kernels::cuda
