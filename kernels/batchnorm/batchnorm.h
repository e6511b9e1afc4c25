#pragma once

// dst[n,c,h,w] = epilogue(gamma[c] * (src[n,c,h,w] - mean[c]) / sqrt(var[c] + eps) + beta[c]): a
// batchnorm that no producer took, as in torch.nn.BatchNorm2d.eval().
// Layout: nhwc f32; weight slots gamma, beta, mean, var, each (c).
// Numerics: scale = gamma / sqrt(var + eps) and shift = beta - mean * scale are computed in double
// and rounded once; native is fma(src, scale, shift).

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kBatchnormTable;

void batchnorm_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
