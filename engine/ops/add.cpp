// dst = a + b. Both inputs have the same shape; no broadcasting, no attributes, no weights.

#include "engine/base/text.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

Result<Shape> infer(const OpArgs& args) {
  const Shape &a = args.inputs[0], &b = args.inputs[1];
  if (a == b) return a;
  return Status(StatusCode::kModelInvalid, concat("inputs: expected two equal shapes, got ",
                                                  a.to_string(), " and ", b.to_string()));
}

}  // namespace

const OpDef kAdd = {.name = "add",
                    .inputs = 2,
                    .attributes = {},
                    .weights = {},
                    .infer = infer,
                    .macs = no_macs,
                    .takes_epilogue = true};

}  // namespace penult
