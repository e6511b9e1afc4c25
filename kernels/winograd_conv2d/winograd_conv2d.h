#pragma once

// A 3x3 convolution of stride 1 with fewer multiplications (Winograd 1980; Lavin and Gray,
// arXiv:1509.09308): F(m,3) computes m x m dst pixels from (m+2) x (m+2) src pixels as
//   dst = A' [ sum_ic (G w G') * (B' src B) ] A
// with (m+2)^2 products a channel instead of 9 m^2. The matrices: winograd_transform.inl.h.
// Formula, layouts and padding are those of conv2d.h.
// Numerics: the weights are transformed in double and rounded once (m = 4), or in f32 in four
// roundings (m = 2, where halving makes none). Each of the (m+2)^2 sums over ic is added in the
// order of ic in f32, bias and epilogue come after A. With |.| taken of every
// matrix and operand, |err| <= (IC + 24) * 2^-24 * |A'| [ sum |G w G'| * (|B'| |src| |B|) ] |A| to
// first order. An infinity or a NaN reaches every dst pixel of its tile.

#include "kernels/kernel.h"

namespace penult::kernels {

// Why a problem cannot be computed like this; empty if it can.
std::string winograd_declines(const Problem& problem);

extern const Table kWinogradConv2dTable;

}  // namespace penult::kernels
