#include "kernels/conv2d/conv2d_geometry.h"

#include <algorithm>

#include "engine/base/text.h"

namespace penult::kernels {

Conv2dGeometry conv2d_geometry(const Problem& problem) {
  const Shape& src = problem.src[0].shape;
  const Shape& dst = problem.dst.shape;
  const auto& weights = problem.weight_dims[0];
  const Attributes& attrs = problem.attrs;
  return {.ic = src.c,
          .ih = src.h,
          .iw = src.w,
          .oc = dst.c,
          .oh = dst.h,
          .ow = dst.w,
          .kh = weights[2],
          .kw = weights[3],
          .sh = attrs.get_int("strides", 0),
          .sw = attrs.get_int("strides", 1),
          .ph = attrs.get_int("pads", 0),
          .pw = attrs.get_int("pads", 1),
          .dh = attrs.get_int("dilations", 0),
          .dw = attrs.get_int("dilations", 1),
          .groups = attrs.get_int("groups")};
}

Halo conv2d_halo(const Problem& problem, int) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  const int64_t last_row = (g.oh - 1) * g.sh - g.ph + (g.kh - 1) * g.dh;
  const int64_t last_col = (g.ow - 1) * g.sw - g.pw + (g.kw - 1) * g.dw;
  return {.top = g.ph,
          .left = g.pw,
          .bottom = std::max<int64_t>(0, last_row - (g.ih - 1)),
          .right = std::max<int64_t>(0, last_col - (g.iw - 1))};
}

RowWindow conv2d_row_window(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  return {.stride = g.sh, .pad = g.ph, .extent = (g.kh - 1) * g.dh + 1};
}

std::string conv2d_declines_halo(const Problem& problem) {
  constexpr int64_t kMaxHalo = 64;  // no published net pads more than 6
  const Halo halo = conv2d_halo(problem, 0);
  const int64_t widest = std::max({halo.top, halo.left, halo.bottom, halo.right});
  if (widest <= kMaxHalo) return {};
  return concat("padding must be at most ", kMaxHalo, " pixels, got ", widest);
}

}  // namespace penult::kernels
