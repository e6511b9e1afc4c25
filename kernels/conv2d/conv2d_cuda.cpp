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

std::string declines_stem(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  if (g.ic != kStemIc) return concat(kStemIc, " channels, got ", g.ic);
  if (g.dh != 1 || g.dw != 1) return "no dilation";
  if (g.kh * g.kw > kStemMaxTaps)
    return concat("a window of at most ", kStemMaxTaps, ", got ", g.kh * g.kw);
  return declines_igemm(problem);
}

// Tensor cores multiply the padding, too, and still need less time for a window of 7x7: of 392
// products for each number of dst, at 16 times the rate of those in f32, of which there are 147
// (A100). For 3x3 both wait for memory.
std::string declines_stem_f16(const Problem& problem) {
  constexpr int64_t kTaps = 16;
  const Conv2dGeometry g = conv2d_geometry(problem);
  if (g.kh * g.kw > kTaps) return "left to tensor cores: a large window";
  return declines_stem(problem);
}

constexpr GpuRow kStemF16 =
    conv2d_row<gpu::Half, conv2d_stem_f16>("conv2d_stem_f16_cuda", declines_stem_f16);
constexpr GpuRow kStemF32 =
    conv2d_row<float, conv2d_stem_f32>("conv2d_stem_f32_cuda", declines_stem);
constexpr GpuRow kIgemmF16 =
    conv2d_row<gpu::Half, conv2d_igemm_f16>("conv2d_igemm_f16_cuda", declines_igemm);
constexpr GpuRow kIgemmF32 =
    conv2d_row<float, conv2d_igemm_f32>("conv2d_igemm_f32_cuda", declines_igemm);
constexpr GpuRow kDirectF16 =
    conv2d_row<gpu::Half, conv2d_direct_f16>("conv2d_direct_f16_cuda", declines);
constexpr GpuRow kDirectF32 =
    conv2d_row<float, conv2d_direct_f32>("conv2d_direct_f32_cuda", declines);

constexpr Kernel kKernels[] = {row<kStemF16>(),  row<kStemF32>(),   row<kIgemmF16>(),
                               row<kIgemmF32>(), row<kDirectF16>(), row<kDirectF32>()};

}  // namespace

const Table kConv2dCudaTable = {"conv2d", kKernels};

}  // namespace penult::kernels::cuda
