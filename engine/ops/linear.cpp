// dst[oc] = bias[oc] + sum_ic src[ic] * weight[oc,ic], as torch.nn.Linear.
// Input: a vector (ic); weights: weight (oc,ic), bias (oc) optional; output: a vector (oc).

#include "engine/base/check.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

constexpr std::array<WeightSpec, 2> kWeights = {{{"weight", 2, true}, {"bias", 1, false}}};

Result<Shape> infer(const OpArgs& args) {
  const Shape& src = args.inputs[0];
  PENULT_RETURN_IF_ERROR(expect_vector(src));
  const std::vector<int64_t>&weight = args.weight_dims[0], &bias = args.weight_dims[1];
  const int64_t oc = weight[0];
  PENULT_RETURN_IF_ERROR(expect_dims("weight", {oc, src.c}, weight, src));
  if (!bias.empty()) PENULT_RETURN_IF_ERROR(expect_dims("bias", {oc}, bias, src));
  return Shape::vector(oc);
}

uint64_t macs(const OpArgs& args, const Shape& dst) {
  const std::array factors = {dst.c, args.inputs[0].c};
  return saturating_product(factors);
}

}  // namespace

const OpDef kLinear = {.name = "linear",
                       .inputs = 1,
                       .attributes = {},
                       .weights = kWeights,
                       .infer = infer,
                       .macs = macs,
                       .folds_batchnorm = true,
                       .takes_epilogue = true};

}  // namespace penult
