// src within a frame of zeros, or cut where a pad is negative: torch.nn.ZeroPad2d. Input: a map
// (c,h,w); output: (c, top+h+bottom, left+w+right). Attribute: pads = top, left, bottom, right; of
// src at least one pixel remains.

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/ops/expect.h"
#include "engine/ops/window.h"

namespace penult {
namespace {

constexpr std::array kAttributes = {AttributeSpec::ints("pads", 4, -kMaxPad, kMaxPad)};

// Pixels of an axis that negative pads leave.
int64_t remaining(int64_t size, int64_t before, int64_t after) {
  return size + std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0);
}

Result<Shape> infer(const OpArgs& args) {
  const Shape& src = args.inputs[0];
  PENULT_RETURN_IF_ERROR(expect_map(src));
  const auto pad = [&](size_t side) { return args.attrs.get_int("pads", side); };
  if (remaining(src.h, pad(0), pad(2)) < 1 || remaining(src.w, pad(1), pad(3)) < 1) {
    return Status(StatusCode::kModelInvalid,
                  concat("pads: expected to leave a pixel of ", src.to_string(), ", got ",
                         args.attrs.find("pads")->ints));
  }
  return Shape::map(src.c, pad(0) + src.h + pad(2), pad(1) + src.w + pad(3));
}

// Single pixels, behind the padding.
Windows windows_of(const OpArgs& args) {
  const auto axis = [&](int64_t in, size_t before, size_t after) -> Axis {
    return {.in = in,
            .kernel = 1,
            .stride = 1,
            .dilation = 1,
            .pad_before = args.attrs.get_int("pads", before),
            .pad_after = args.attrs.get_int("pads", after)};
  };
  return {axis(args.inputs[0].h, 0, 2), axis(args.inputs[0].w, 1, 3)};
}

}  // namespace

const OpDef kPad = {.name = "pad",
                    .inputs = 1,
                    .attributes = kAttributes,
                    .weights = {},
                    .infer = infer,
                    .macs = no_macs,
                    .windows = windows_of};

}  // namespace penult
