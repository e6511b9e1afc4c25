// dst[(c*H + h)*W + w] = src[c,h,w]: torch.flatten(x, 1). Input: a map or a vector, which stays as
// it is; output: a vector.

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/graph/graph.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

Result<Shape> infer(const OpArgs& args) {
  const Shape& src = args.inputs[0];
  const int64_t elems = src.elems();  // at most 2^40, see infer_shapes
  if (elems <= Graph::kMaxDim) return Shape::vector(elems);
  return Status(StatusCode::kModelInvalid, concat("input: expected up to ", Graph::kMaxDim,
                                                  " elements, got ", src.to_string()));
}

}  // namespace

const OpDef kFlattenOp = {.name = "flatten",
                          .inputs = 1,
                          .attributes = {},
                          .weights = {},
                          .infer = infer,
                          .macs = no_macs,
                          .sees_whole_map = true};

}  // namespace penult
