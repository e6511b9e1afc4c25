// dst[c,oh,ow] = max_{kh,kw} src[c, oh*sh-top+kh*dh, ow*sw-left+kw*dw] over the positions inside
// src: torch.nn.MaxPool2d. Input: a map (c,ih,iw); output: (c,oh,ow). Attributes: pads = top, left,
// bottom, right, each smaller than the window; pad_mode as conv2d's; ceil_mode as torch's, which
// drops a window that would start in the padding behind src.

#include "engine/ops/expect.h"
#include "engine/ops/window.h"

namespace penult {
namespace {

constexpr std::array kAttributes = {AttributeSpec::ints("kernel", 2, 1, kMaxKernel),
                                    AttributeSpec::ints("strides", 2, 1, kMaxStride),
                                    AttributeSpec::ints_or("dilations", 2, 1, kMaxStride, 1),
                                    kPadsSpec,
                                    kPadModeSpec,
                                    AttributeSpec::ints_or("ceil_mode", 1, 0, 1, 0)};

}  // namespace

const OpDef kMaxPool2d = {.name = "max_pool2d",
                          .inputs = 1,
                          .attributes = kAttributes,
                          .weights = {},
                          .infer = infer_pool,
                          .macs = no_macs,
                          .resolve = resolve_pool,
                          .windows = pool_windows};

}  // namespace penult
