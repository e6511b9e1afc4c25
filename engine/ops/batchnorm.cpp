// dst[c] = gamma[c] * (src[c] - mean[c]) / sqrt(var[c] + eps) + beta[c], with stored statistics, as
// torch.nn.BatchNorm2d in eval mode. Input: a map or a vector; weights gamma, beta, mean, var,
// each (c).

#include <limits>

#include "engine/ops/expect.h"

namespace penult {
namespace {

// eps > 0, however small, so that no variance of zero divides by zero.
constexpr std::array kAttributes = {AttributeSpec::real(
    "eps", std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max())};
constexpr std::array<WeightSpec, 4> kWeights = {
    {{"gamma", 1, true}, {"beta", 1, true}, {"mean", 1, true}, {"var", 1, true}}};

Result<Shape> infer(const OpArgs& args) {
  const Shape& src = args.inputs[0];
  for (size_t i = 0; i < kWeights.size(); ++i) {
    Status status = expect_dims(kWeights[i].name, {src.c}, args.weight_dims[i], src);
    if (!status.ok()) return status;
  }
  return src;
}

}  // namespace

const OpDef kBatchnorm = {.name = "batchnorm",
                          .inputs = 1,
                          .attributes = kAttributes,
                          .weights = kWeights,
                          .infer = infer,
                          .macs = no_macs,
                          .takes_epilogue = true};

}  // namespace penult
