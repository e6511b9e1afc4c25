#pragma once

// dst[n,oc,oh,ow] = epilogue(bias[oc] + sum_{ic,kh,kw} src[n, g*icg+ic, oh*sh-ph+kh*dh,
// ow*sw-pw+kw*dw]
//                                                    * weights[oc,ic,kh,kw]),  g = oc / (OC/groups)
// Layout: src and dst nhwc f32 with halo and padded pixels (kernel.h); weights (OC, IC/groups, KH,
// KW) as in torch.nn.Conv2d; bias (OC), optional. Padding is zeros: ph rows on top, pw columns on
// the left; what is needed at the bottom and on the right follows from dst's size. A second source,
// a vector (IC) or a map (IC,1,1), multiplies src per channel beforehand, rounded to f32; then KH =
// KW = groups = 1, without padding.
// Numerics: native kernels start from the bias (else 0) and add the products in (kh, kw, ic) order
// in f32 (some add products of groups nearby with weights of zero, too); K = KH*KW*IC/groups, |err|
// <= K*2^-24 * sum |src*weights| to first order.

#include "kernels/kernel.h"

namespace penult::kernels {

struct Conv2dGeometry {
  int64_t ic, ih, iw, oc, oh, ow;
  int64_t kh, kw, sh, sw, ph, pw, dh, dw, groups;

  int64_t ic_per_group() const { return ic / groups; }
  int64_t reduction() const { return ic_per_group() * kh * kw; }
};

Conv2dGeometry conv2d_geometry(const Problem& problem);

// The zeros that let a kernel read every tap of every dst element without asking.
Halo conv2d_halo(const Problem& problem, int index);
RowWindow conv2d_row_window(const Problem& problem);

inline bool conv2d_has_scale(const Problem& problem) { return problem.src.size() > 1; }

// The factors for the channels of an image's src; null if there are none.
inline const float* conv2d_scale(const RunArgs& args, int64_t image) {
  if (!conv2d_has_scale(args.problem)) return nullptr;
  return args.src[1] + image * args.problem.src[1].image_stride;
}

// Why native kernels leave a problem to the reference: a halo that would dwarf the map. Empty if
// there is no such reason.
std::string conv2d_declines_halo(const Problem& problem);

}  // namespace penult::kernels
