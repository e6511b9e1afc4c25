// oneDNN's direct convolution; Winograd, which `auto` may take, is left out for its larger errors.

#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/onednn/tables.h"

namespace penult::kernels {
namespace {

using namespace onednn;

// As the primitive sees them. Where our padding is most of a pixel (the image: 3 of 16 floats), a
// copy without it costs a tenth of what computing with it would. Channels of groups cannot be
// padded: the next group starts right behind.
struct Channels {
  int64_t ic, oc;
};

Channels channels_of(const Conv2dGeometry& g) {
  const bool is_depthwise = g.groups == g.ic && g.groups == g.oc;
  if (g.groups > 1 && !is_depthwise) return {g.ic, g.oc};
  const bool copies = g.ic < kChannelPad / 2 && !is_depthwise;
  return {copies ? g.ic : padded_channels(g.ic), padded_channels(g.oc)};
}

dnnl::primitive_desc_base describe(const Problem& problem, int64_t n) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  const Channels c = channels_of(g);
  const Halo halo = conv2d_halo(problem, 0);
  const int64_t groups = g.groups > 1 ? g.groups * c.oc / g.oc : 1;
  const Dims weights = groups == 1 ? Dims{c.oc, c.ic, g.kh, g.kw}
                                   : Dims{groups, c.oc / groups, c.ic / groups, g.kh, g.kw};
  const Operands operands{.src = map_desc(n, c.ic, problem.src[0].shape),
                          .weights = weights_desc(weights),
                          .bias = bias_desc(c.oc),
                          .dst = map_desc(n, c.oc, problem.dst.shape)};
  const Window window{.kernel = {g.kh, g.kw},
                      .strides = {g.sh, g.sw},
                      .dilations = {g.dh - 1, g.dw - 1},
                      .before = {halo.top, halo.left},
                      .after = {halo.bottom, halo.right}};
  return describe_convolution(engine(), operands, window, attributes(problem, operands.dst));
}

std::string declines(const Problem& problem) {
  if (conv2d_has_scale(problem)) return "no factors for src's channels";
  return conv2d_declines_halo(problem);
}

constexpr Kernel kKernels[] = {row<describe, declines>("conv2d_direct_f32_onednn")};

}  // namespace

const Table onednn::kConv2dTable = {"conv2d", kKernels};

}  // namespace penult::kernels
