#include "kernels/onednn/tables.h"

namespace penult::kernels {
namespace {

using namespace onednn;

dnnl::primitive_desc_base describe(const Problem& problem, int64_t n) {
  const int64_t ic = padded_channels(problem.src[0].shape.c);
  const int64_t oc = padded_channels(problem.dst.shape.c);
  const Operands operands{.src = vector_desc(n, ic),
                          .weights = weights_desc({oc, ic}),
                          .bias = bias_desc(oc),
                          .dst = vector_desc(n, oc)};
  return describe_inner_product(engine(), operands, attributes(problem, operands.dst));
}

constexpr Kernel kKernels[] = {row<describe>("linear_inner_product_f32_onednn")};

}  // namespace

const Table onednn::kLinearTable = {"linear", kKernels};

}  // namespace penult::kernels
