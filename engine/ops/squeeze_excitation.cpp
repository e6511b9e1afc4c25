// dst = the second layer of the first layer of the mean of src[c,h,w] over h and w: the factors of
// a squeeze-and-excitation block (Hu, Shen and Sun 2018), without the product. Made by
// fuse_squeeze_excitation and never in a file: what stands between the two layers is
// Fused::squeeze, and the activation of the second is the epilogue.
// Input: a map (c,h,w); weights: those of the two linear layers, (sc,c), (sc), (oc,sc), (oc);
// output: a vector (oc).

#include "engine/base/check.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

constexpr std::array<WeightSpec, 4> kWeights = {{{"squeeze.weight", 2, true},
                                                 {"squeeze.bias", 1, false},
                                                 {"excite.weight", 2, true},
                                                 {"excite.bias", 1, false}}};

Result<Shape> infer(const OpArgs& args) {
  const Shape& src = args.inputs[0];
  PENULT_RETURN_IF_ERROR(expect_map(src));
  const int64_t sc = args.weight_dims[0][0], oc = args.weight_dims[2][0];
  const std::vector<int64_t> expected[] = {{sc, src.c}, {sc}, {oc, sc}, {oc}};
  for (size_t slot = 0; slot < kWeights.size(); ++slot) {
    const std::vector<int64_t>& dims = args.weight_dims[slot];
    if (!dims.empty())
      PENULT_RETURN_IF_ERROR(expect_dims(kWeights[slot].name, expected[slot], dims, src));
  }
  return Shape::vector(oc);
}

uint64_t macs(const OpArgs& args, const Shape& dst) {
  const std::array factors = {args.weight_dims[0][0], args.inputs[0].c + dst.c};
  return saturating_product(factors);
}

}  // namespace

const OpDef kSqueezeExcitation = {.name = "squeeze_excitation",
                                  .inputs = 1,
                                  .attributes = {},
                                  .weights = kWeights,
                                  .infer = infer,
                                  .macs = macs,
                                  .sees_whole_map = true,
                                  .takes_epilogue = true};

}  // namespace penult
