// dst[c] = mean of src[c,h,w] over h and w. Input: a map (c,h,w); output: a vector (c).

#include "engine/base/check.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

Result<Shape> infer(const OpArgs& args) {
  PENULT_RETURN_IF_ERROR(expect_map(args.inputs[0]));
  return Shape::vector(args.inputs[0].c);
}

}  // namespace

const OpDef kGlobalAvgPool = {.name = "global_avg_pool",
                              .inputs = 1,
                              .attributes = {},
                              .weights = {},
                              .infer = infer,
                              .macs = no_macs,
                              .sees_whole_map = true};

}  // namespace penult
