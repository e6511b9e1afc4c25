#pragma once

// The error model of Winograd kernels, from matrices of its own.

#include "tests/kernels/kernel_case.h"

namespace penult::testing {

// F(m,3): `in` = m + 2 points, `out` = m results, entries row by row.
struct WinogradMatrices {
  int in, out;
  std::vector<double> b, g, a;  // B' (in x in), G (in x 3), A' (out x in)
};
const WinogradMatrices& matrices_of(kernels::NumericClass numeric_class);

// For each element of dst |A'| [ sum_ic |G w G'| * (|B'| |src| |B|) ] |A| + |bias| + |residual|:
// what bounds every partial sum of the kernel. Nothing of the activation.
Dense winograd_magnitudes(const KernelCase& c, kernels::NumericClass numeric_class);

}  // namespace penult::testing
