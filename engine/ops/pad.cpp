// src within a frame of zeros: torch.nn.ZeroPad2d. Input: a map (c,h,w); output: (c, top+h+bottom,
// left+w+right). Attribute: pads = top, left, bottom, right.

#include "engine/base/check.h"
#include "engine/ops/expect.h"
#include "engine/ops/window.h"

namespace penult {
namespace {

constexpr std::array kAttributes = {AttributeSpec::ints("pads", 4, 0, kMaxPad)};

Result<Shape> infer(const OpArgs& args) {
  const Shape& src = args.inputs[0];
  PENULT_RETURN_IF_ERROR(expect_map(src));
  const auto pad = [&](size_t side) { return args.attrs.get_int("pads", side); };
  return Shape::map(src.c, pad(0) + src.h + pad(2), pad(1) + src.w + pad(3));
}

}  // namespace

const OpDef kPad = {.name = "pad",
                    .inputs = 1,
                    .attributes = kAttributes,
                    .weights = {},
                    .infer = infer,
                    .macs = no_macs};

}  // namespace penult
