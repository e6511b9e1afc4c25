// The channels of all inputs, one input after the other: torch.cat(..., dim=1). Inputs: maps of one
// height and width, or vectors.

#include "engine/base/text.h"
#include "engine/graph/graph.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

Result<Shape> infer(const OpArgs& args) {
  Shape dst = args.inputs[0];
  for (const Shape& src : args.inputs.subspan(1)) {
    if (src.rank != dst.rank || src.h != dst.h || src.w != dst.w) {
      return Status(StatusCode::kModelInvalid,
                    concat("inputs: expected shapes that differ in channels only, got ",
                           args.inputs[0].to_string(), " and ", src.to_string()));
    }
    dst.c += src.c;  // at most 256 times 2^31
  }
  return dst;
}

}  // namespace

const OpDef kConcat = {.name = "concat",
                       .inputs = {1, Graph::kMaxInputs},
                       .attributes = {},
                       .weights = {},
                       .infer = infer,
                       .macs = no_macs};

}  // namespace penult
