#pragma once

// dst[n,oc] = epilogue(bias[oc] + sum_ic src[n,ic] * weights[oc,ic]), as in torch.nn.Linear.
// Layout: vectors f32; weights (oc, ic); bias (oc), optional. Numerics: native starts from the bias
// (else 0) and adds the products in ic order in f32: |err| <= ic*2^-24 * sum |src*weights|.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kLinearTable;

void linear_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
