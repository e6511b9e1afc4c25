// dst[c,oh,ow] = mean of src over rows floor(oh*ih/OH) up to ceil((oh+1)*ih/OH) and columns alike:
// torch.nn.AdaptiveAvgPool2d. Input: a map (c,ih,iw), which may be smaller than the output; output:
// (c,OH,OW). Attribute: output_size = OH, OW.

#include <algorithm>

#include "engine/base/check.h"
#include "engine/ops/expect.h"
#include "engine/ops/window.h"

namespace penult {
namespace {

constexpr int64_t kMaxSide = 4096;
constexpr std::array kAttributes = {AttributeSpec::ints("output_size", 2, 1, kMaxSide)};

Result<Shape> infer(const OpArgs& args) {
  PENULT_RETURN_IF_ERROR(expect_map(args.inputs[0]));
  return Shape::map(args.inputs[0].c, args.attrs.get_int("output_size", 0),
                    args.attrs.get_int("output_size", 1));
}

// Where the output does not divide the input, windows are of two lengths and their distances differ
// by one: the longest, and what the distances are rounded down.
Axis axis_of(int64_t in, int64_t out) {
  int64_t longest = 1;
  for (int64_t i = 0; i < out; ++i)
    longest = std::max(longest, ((i + 1) * in + out - 1) / out - i * in / out);
  return {.in = in,
          .kernel = longest,
          .stride = std::max<int64_t>(in / out, 1),
          .dilation = 1,
          .pad_before = 0,
          .pad_after = 0};
}

Windows windows_of(const OpArgs& args) {
  const Shape& src = args.inputs[0];
  return {axis_of(src.h, args.attrs.get_int("output_size", 0)),
          axis_of(src.w, args.attrs.get_int("output_size", 1))};
}

}  // namespace

const OpDef kAdaptiveAvgPool2d = {.name = "adaptive_avg_pool2d",
                                  .inputs = 1,
                                  .attributes = kAttributes,
                                  .weights = {},
                                  .infer = infer,
                                  .macs = no_macs,
                                  .windows = windows_of};

}  // namespace penult
