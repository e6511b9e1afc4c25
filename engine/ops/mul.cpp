// dst = a * b, element by element. Both inputs have the same shape, or one of them, a vector (c) or
// a map (c,1,1), scales each channel of the other, a map (c,h,w): squeeze-and-excitation.

#include "engine/base/text.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

bool scales_channels(const Shape& scale, const Shape& map) {
  return map.is_map() && scale.c == map.c && scale.h == 1 && scale.w == 1;
}

Result<Shape> infer(const OpArgs& args) {
  const Shape &a = args.inputs[0], &b = args.inputs[1];
  if (a == b || scales_channels(b, a)) return a;
  if (scales_channels(a, b)) return b;
  return Status(StatusCode::kModelInvalid,
                concat("inputs: expected two equal shapes, or (c) or (c,1,1) and (c,h,w), got ",
                       a.to_string(), " and ", b.to_string()));
}

}  // namespace

const OpDef kMul = {.name = "mul",
                    .inputs = 2,
                    .attributes = {},
                    .weights = {},
                    .infer = infer,
                    .macs = no_macs,
                    .takes_epilogue = true};

}  // namespace penult
