#include "kernels/conv2d/conv2d_cuda.h"

#include "engine/base/text.h"
#include "kernels/conv2d/conv2d_row_cuda.h"

namespace penult::kernels::cuda {
namespace {

std::string declines(const Problem& problem) {
  if (conv2d_has_scale(problem)) return "no factors for src's channels";
  const int64_t weights = conv2d_weights(problem, Precision::kF32).elems();
  const int64_t elems = std::max(conv2d_image_elems(problem), weights);
  if (elems > kConv2dMaxElems) return concat("at most ", kConv2dMaxElems, " elements, got ", elems);
  return {};
}

std::string declines_igemm(const Problem& problem) {
  const int64_t groups = conv2d_geometry(problem).groups;
  if (groups != 1) return concat("one group only, got ", groups);
  return declines(problem);
}

constexpr GpuRow kIgemmF16 =
    conv2d_row<gpu::Half, conv2d_igemm_f16>("conv2d_igemm_f16_cuda", declines_igemm);
constexpr GpuRow kIgemmF32 =
    conv2d_row<float, conv2d_igemm_f32>("conv2d_igemm_f32_cuda", declines_igemm);
constexpr GpuRow kDirectF16 =
    conv2d_row<gpu::Half, conv2d_direct_f16>("conv2d_direct_f16_cuda", declines);
constexpr GpuRow kDirectF32 =
    conv2d_row<float, conv2d_direct_f32>("conv2d_direct_f32_cuda", declines);

constexpr Kernel kKernels[] = {row<kIgemmF16>(), row<kIgemmF32>(), row<kDirectF16>(),
                               row<kDirectF32>()};

}  // namespace

const Table kConv2dCudaTable = {"conv2d", kKernels};

}  // namespace penult::kernels::cuda
