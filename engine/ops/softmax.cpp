// dst[c] = exp(src[c]) / sum_i exp(src[i]): torch.nn.Softmax over a vector (c).

#include "engine/base/check.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

Result<Shape> infer(const OpArgs& args) {
  PENULT_RETURN_IF_ERROR(expect_vector(args.inputs[0]));
  return args.inputs[0];
}

}  // namespace

const OpDef kSoftmax = {.name = "softmax",
                        .inputs = 1,
                        .attributes = {},
                        .weights = {},
                        .infer = infer,
                        .macs = no_macs};

}  // namespace penult
