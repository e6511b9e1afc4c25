// dst[c,oh,ow] = (sum_{kh,kw} src[c, oh*sh-top+kh, ow*sw-left+kw], zeros outside src) / divisor:
// torch.nn.AvgPool2d. The divisor is the number of positions inside src or, with count_include_pad
// (torch's default), inside src and its padding. Input: a map (c,ih,iw); output: (c,oh,ow).
// Attributes: pads, pad_mode and ceil_mode as max_pool2d's.

#include "engine/ops/expect.h"
#include "engine/ops/window.h"

namespace penult {
namespace {

constexpr std::array kAttributes = {AttributeSpec::ints("kernel", 2, 1, kMaxKernel),
                                    AttributeSpec::ints("strides", 2, 1, kMaxStride),
                                    kPadsSpec,
                                    kPadModeSpec,
                                    AttributeSpec::ints_or("ceil_mode", 1, 0, 1, 0),
                                    AttributeSpec::ints_or("count_include_pad", 1, 0, 1, 1)};

}  // namespace

const OpDef kAvgPool2d = {.name = "avg_pool2d",
                          .inputs = 1,
                          .attributes = kAttributes,
                          .weights = {},
                          .infer = infer_pool,
                          .macs = no_macs,
                          .resolve = resolve_pool,
                          .windows = pool_windows};

}  // namespace penult
